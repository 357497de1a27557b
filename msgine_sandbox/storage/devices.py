"""Devices as rows."""

from collections.abc import Collection

from msgine_sandbox.model.recipients import Device
from msgine_sandbox.storage.columns import Columns, to_json
from msgine_sandbox.storage.database import Database, of_account

_DEVICE = Columns(Device)
_INSERT = _DEVICE.insert("devices", "INSERT OR REPLACE")


class DeviceRows:
    """Stores an account's devices, one for each token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def with_token(self, account: int, token: str) -> Device | None:
        """Return the device that a token names, removed or not."""
        row = self._database.execute(
            f"SELECT {_DEVICE.names} FROM devices WHERE account = ? AND token = ?",
            (account, token),
        ).fetchone()
        return None if row is None else _DEVICE.from_row(row)

    async def save(self, device: Device) -> None:
        """Store a device, in place of the one with its token."""
        self._database.execute(_INSERT, _DEVICE.to_row(device))

    async def active(self, account: int) -> list[str]:
        """Return the tokens of an account's devices that are not removed, the oldest first."""
        rows = self._database.execute(
            "SELECT token FROM devices WHERE account = ? AND active ORDER BY id", (account,)
        )
        return [token for (token,) in rows]

    async def removed(self, account: int, tokens: Collection[str]) -> set[str]:
        """Return those of some tokens whose devices are removed."""
        rows = self._database.execute(
            "SELECT token FROM devices WHERE account = ? AND NOT active"
            " AND token IN (SELECT value FROM json_each(?))",
            (account, to_json(list(tokens))),
        )
        return {token for (token,) in rows}

    async def clear(self, account: int | None) -> None:
        """Delete the devices of an account, or of all."""
        where, values = of_account(account)
        self._database.execute(f"DELETE FROM devices{where}", values)
