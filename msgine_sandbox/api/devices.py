"""`/developers/push/device`: register a device, and remove it."""

from typing import Final

from msgine_sandbox.api.handlers import account_with
from msgine_sandbox.api.schema import warn_of_query, warn_of_unknown
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import json_object
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.fields import Fields
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.channel import Scope
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.recipients import Device, Platform
from msgine_sandbox.services.devices import Devices

_REGISTRATION: Final = ("token", "platform", "deviceId")
_REMOVAL: Final = ("token",)


class DevicesApi:
    """The devices that pushes go to."""

    def __init__(self, devices: Devices, form: AnswerForm) -> None:
        self._devices = devices
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The path, below the base URL."""
        return [resource("/developers/push/device", POST=self.register, DELETE=self.remove)]

    async def register(self, context: RequestContext) -> Answer:
        """Register a device: 201; or update the one that has the token already: 200.

        Source: seen in SDKs; the statuses, and that `deviceId` has no effect, are our choice.
        """
        body = _read(context, _REGISTRATION)
        token = body.required_text("token")
        platform = body.required_choice("platform", Platform)
        body.text("deviceId")  # its type is checked; it has no effect
        account = context.authenticated_account
        device, is_new = await self._devices.registered(account, token, platform)
        # Before the device is stored, because its idempotency key is stored with the answer.
        answer = json_answer(self._view(device), 201 if is_new else 200)
        await self._devices.save(device, context.to_store(answer))
        return answer

    async def remove(self, context: RequestContext) -> Answer:
        """Remove the device whose token the body has. Source: seen in SDKs."""
        body = _read(context, _REMOVAL)
        await self._devices.remove(context.authenticated_account, body.required_text("token"))
        return json_answer({"message": "Device removed"})

    def _view(self, device: Device) -> dict[str, object]:
        return {
            "id": self._form.device_id(device.id),
            "platform": device.platform,
            "isActive": device.active,
            "createdAt": iso_seconds(device.created_at),
        }


def _read(context: RequestContext, names: tuple[str, ...]) -> Fields:
    account_with(Scope.SEND_PUSH, context)
    body = json_object(context)
    warn_of_unknown(context, body, names, "body")
    warn_of_query(context)
    return Fields(body)
