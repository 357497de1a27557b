"""Registering devices, and removing them."""

from collections.abc import Callable

from msgspec.structs import replace

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.device import Device, Platform
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.target import checked_token
from msgine_sandbox.storage.store import Store


class Devices:
    """Knows the devices that an account's pushes can go to."""

    def __init__(self, store: Store, ids: Ids, now: Callable[[int], Instant]) -> None:
        self._store = store
        self._ids = ids
        self._now = now

    async def registered(
        self, account: Account, token: str, platform: Platform
    ) -> tuple[Device, bool]:
        """Give the device as it will be, and whether it is new or the one that the token names.

        Raises:
            InvalidRequest: the token is none.
        """
        known = await self._store.devices.with_token(account.id, checked_token(token, "token"))
        if known is not None:
            return replace(known, platform=platform, active=True), False
        device = Device(
            id=self._ids.next(),
            account=account.id,
            token=token,
            platform=platform,
            active=True,
            created_at=self._now(account.id),
        )
        return device, True

    async def save(self, device: Device, answer: Remembered | None = None) -> None:
        """Store a device, with the answer to its key; leave once both are committed."""
        async with self._store.unit:
            await self._store.devices.save(device)
            if answer is not None:
                await self._store.keys.remember(answer)

    async def remove(self, account: Account, token: str) -> None:
        """Remove a device: from now on pushes to it fail.

        Raises:
            InvalidRequest: the token is none.
            NotFound: no device has that token, or it is removed already.
        """
        checked = checked_token(token, "token")
        device = await self._store.devices.with_token(account.id, checked)
        if device is None or not device.active:
            raise NotFound("Device not found")
        await self.save(replace(device, active=False))
