"""Registering the devices that pushes go to, and removing them."""

from msgspec.structs import replace

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.idempotency import StoredAnswer
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.recipients import Device, Platform, checked_token
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.storage.store import Store


class Devices:
    """Registers and removes the devices of accounts."""

    def __init__(self, store: Store, accounts: Accounts, ids: Ids) -> None:
        self._store = store
        self._accounts = accounts
        self._ids = ids

    async def registered(
        self, account: Account, token: str, platform: Platform
    ) -> tuple[Device, bool]:
        """Return the device that `save` is to store, and whether it is new.

        Nothing is stored here, because the answer is written first and stored with it.

        Raises:
            InvalidRequest: the token is not a valid one.
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
            created_at=self._accounts.now(account.id),
        )
        return device, True

    async def save(self, device: Device, answer: StoredAnswer | None = None) -> None:
        """Store a device, with the answer to an idempotency key; return once both are committed."""
        async with self._store.write():
            await self._store.devices.save(device)
            if answer is not None:
                await self._store.idempotency.remember(answer)

    async def remove(self, account: Account, token: str) -> None:
        """Remove a device: from now on pushes to it fail.

        Raises:
            InvalidRequest: the token is not a valid one.
            NotFound: no device has that token, or it is removed already.
        """
        checked = checked_token(token, "token")
        device = await self._store.devices.with_token(account.id, checked)
        if device is None or not device.active:
            raise NotFound("Device not found")
        await self.save(replace(device, active=False))
