"""Devices as rows."""

from collections.abc import Collection
from typing import Any

import msgspec

from msgine_sandbox.model.device import Device, Platform
from msgine_sandbox.storage.database import Database

_COLUMNS = "id, account, token, platform, active, created_at"


class DeviceRows:
    """Keeps an account's devices, one for each token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def with_token(self, account: int, token: str) -> Device | None:
        """Give the device that a token names, removed or not."""
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM devices WHERE account = ? AND token = ?", (account, token)
        ).fetchone()
        return None if row is None else _device(row)

    async def save(self, device: Device) -> None:
        """Store a device, in place of the one with its token."""
        self._database.execute(
            f"INSERT OR REPLACE INTO devices ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            (
                device.id,
                device.account,
                device.token,
                str(device.platform),
                device.active,
                device.created_at,
            ),
        )

    async def removed(self, account: int, tokens: Collection[str]) -> set[str]:
        """Give those of some tokens whose devices are removed."""
        rows = self._database.execute(
            "SELECT token FROM devices WHERE account = ? AND NOT active"
            " AND token IN (SELECT value FROM json_each(?))",
            (account, msgspec.json.encode(list(tokens)).decode()),
        )
        return {row[0] for row in rows}

    async def clear(self, account: int | None) -> None:
        """Forget an account's, or all, devices."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM devices{where}")


def _device(row: tuple[Any, ...]) -> Device:
    return Device(
        id=row[0],
        account=row[1],
        token=row[2],
        platform=Platform(row[3]),
        active=bool(row[4]),
        created_at=row[5],
    )
