"""`/developers/push/device`: register a device, and remove it."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.outbox import notice_unknown, require
from msgine_sandbox.domain.devices import Devices
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.account import Scope
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.device import Device, Platform


class DevicesApi:
    """The devices that pushes go to."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    @property
    def routes(self) -> list[Route]:
        """The path, below the base URL."""
        return [resource("/developers/push/device", POST=self.register, DELETE=self.remove)]

    async def register(self, request: Request) -> Reply:
        """Register a device: 201; a token that is known already updates its device: 200.

        Source: seen in SDKs; the statuses are our choice.
        """
        visit = visit_of(request.scope)
        body = _read(visit, request, {"token", "platform"})
        token = body.required_text("token")
        platform = body.required_choice("platform", Platform)
        device, is_new = await self._devices.registered(visit.client, token, platform)
        answer = reply(_shape(device), 201 if is_new else 200)
        await self._devices.save(device, visit.settled(answer.status, answer.body))
        return answer

    async def remove(self, request: Request) -> Reply:
        """Remove a device; its token stands in the body. Source: seen in SDKs."""
        visit = visit_of(request.scope)
        body = _read(visit, request, {"token"})
        await self._devices.remove(visit.client, body.required_text("token"))
        return reply({"message": "Device removed"})


def _read(visit: Visit, request: Request, fields: set[str]) -> Fields:
    require(visit.client, Scope.SEND_PUSH)
    body = read_json(request)
    notice_unknown(visit, body, fields, "body")
    return body


def _shape(device: Device) -> dict[str, object]:
    return {
        "id": device.public_id,
        "platform": device.platform,
        "isActive": device.active,
        "createdAt": iso_seconds(device.created_at),
    }
