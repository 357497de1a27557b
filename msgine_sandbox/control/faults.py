"""`/_sandbox/faults`: what is to go wrong, and how often it has."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen
from msgine_sandbox.control.shapes import fault_shape, list_shape
from msgine_sandbox.control.wishes import wish_of
from msgine_sandbox.domain.faults import Faults
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.fault import PREFIX
from msgine_sandbox.model.ids import number_of
from msgine_sandbox.storage.faults import FaultRows


class FaultsControl:
    """Add, look at and remove faults; without an account they are everybody's."""

    def __init__(self, faults: Faults, rows: FaultRows) -> None:
        self._faults = faults
        self._rows = rows

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/faults", GET=self.list, POST=self.add, DELETE=self.clear),
            resource("/faults/{id}", GET=self.read, DELETE=self.remove),
        ]

    async def list(self, request: Request) -> Reply:
        """List faults, the oldest first, with what is left of each."""
        found = await self._rows.all(chosen(request))
        return reply(list_shape(list(map(fault_shape, found)), len(found)))

    async def add(self, request: Request) -> Reply:
        """Add a fault: 201 with it."""
        fault = await self._faults.add(chosen(request), wish_of(read_json(request)))
        return reply(fault_shape(fault), 201)

    async def read(self, request: Request) -> Reply:
        """Give one fault."""
        number = number_of(PREFIX, request.path_params["id"])
        for fault in await self._rows.all(chosen(request)):
            if fault.id == number:
                return reply(fault_shape(fault))
        raise NotFound("Fault not found")

    async def clear(self, request: Request) -> Reply:
        """Remove all faults."""
        return reply({"deleted": await self._faults.remove(chosen(request))})

    async def remove(self, request: Request) -> Reply:
        """Remove one fault."""
        number = number_of(PREFIX, request.path_params["id"])
        deleted = number and await self._faults.remove(chosen(request), number)
        if not deleted:
            raise NotFound("Fault not found")
        return reply({"deleted": deleted})
