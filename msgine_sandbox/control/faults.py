"""`/_sandbox/faults`: what goes wrong on purpose, and how often it has."""

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.fault_bodies import fault_spec
from msgine_sandbox.control.views import DeletedView, ListView, fault_view
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.fault import PREFIX
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.storage.faults import FaultRows


class FaultsControl:
    """Adds, reads and removes faults; without an account, those that apply to all accounts."""

    def __init__(self, faults: Faults, rows: FaultRows) -> None:
        self._faults = faults
        self._rows = rows

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/faults", GET=self.list, POST=self.add, DELETE=self.clear),
            resource("/_sandbox/faults/{id}", GET=self.read, DELETE=self.remove),
        ]

    async def list(self, request: Request) -> Answer:
        """List faults, oldest first."""
        found = await self._rows.all(context_of(request).account_id)
        return json_answer(ListView(data=list(map(fault_view, found)), total=len(found)))

    async def add(self, request: Request) -> Answer:
        """Add a fault, and return it with 201."""
        context = context_of(request)
        fault = await self._faults.add(context.account_id, fault_spec(content_of(context)))
        return json_answer(fault_view(fault), 201)

    async def read(self, request: Request) -> Answer:
        """Return one fault."""
        number = parse_id(PREFIX, request.path_params["id"])
        for fault in await self._rows.all(context_of(request).account_id):
            if fault.id == number:
                return json_answer(fault_view(fault))
        raise NotFound("Fault not found")

    async def clear(self, request: Request) -> Answer:
        """Remove all faults."""
        deleted = await self._faults.remove(context_of(request).account_id)
        return json_answer(DeletedView(deleted=deleted))

    async def remove(self, request: Request) -> Answer:
        """Remove one fault."""
        number = parse_id(PREFIX, request.path_params["id"])
        deleted = number and await self._faults.remove(context_of(request).account_id, number)
        if not deleted:
            raise NotFound("Fault not found")
        return json_answer(DeletedView(deleted=deleted))
