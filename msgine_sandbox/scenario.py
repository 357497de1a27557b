"""Scenarios: accounts and messages that a sandbox starts with, from a JSON file."""

import os
import sys
from typing import Any, Final

import msgspec

from msgine_sandbox.asgi.fields import invalid_field
from msgine_sandbox.control.scenario_bodies import (
    ScenarioAccount,
    ScenarioReader,
    part,
    scenario_of,
)
from msgine_sandbox.model.account import TIERS, Account
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.reset import AccountContents
from msgine_sandbox.settings import SettingsError, is_token

_ANY_ACCOUNT: Final = Account(
    id=0, token_hint="", magic="", tier=Tier.STARTER, limits=TIERS[Tier.STARTER]
)
"""What an account's settings and messages are checked with before it is opened."""
_MAX_SIZE: Final = 16 * 1024 * 1024  # bytes


async def load(sandbox: Sandbox, file: str) -> None:
    """Open a scenario's accounts and send their messages, all of them or none.

    An account that has messages already is left alone, so that a restart adds nothing.

    Raises:
        SettingsError: the file cannot be read, or asks for what cannot be.
    """
    try:
        scenario = scenario_of(_parse(file))
        for index, account in enumerate(scenario.accounts):
            await _check(sandbox, account, f"accounts[{index}]")
    except ApiError as error:
        raise SettingsError(f"--scenario {file}: {error.message}.") from error
    for index, account in enumerate(scenario.accounts):
        await _open(sandbox, account, f"accounts[{index}]")


def _parse(file: str) -> dict[str, Any]:
    try:
        text = _read(file)
    except OSError as error:
        raise SettingsError(f"--scenario {file} cannot be read: {error.strerror}.") from error
    if len(text) > _MAX_SIZE:
        raise SettingsError(f"--scenario {file} is larger than {_MAX_SIZE} bytes.")
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"--scenario {file} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise SettingsError(f"--scenario {file} is not a JSON object.")
    return content


def _read(file: str) -> bytes:
    """Return the beginning of a file: all of it, unless it is too large.

    A pipe is read until its end. One that nobody has opened to write is empty, because waiting
    could not be interrupted.
    """
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as opened:
        if sys.platform != "win32":
            os.set_blocking(descriptor, True)
        return opened.read(_MAX_SIZE + 1)


async def _check(sandbox: Sandbox, body: ScenarioAccount, where: str) -> None:
    """Raise InvalidRequest, with the place in the file, unless the account can be opened."""
    with part(where):
        if body.token is None or not is_token(body.token):
            expected = "printable ASCII without spaces, and not empty"
            raise invalid_field("token", body.token, expected)
        sandbox.accounts.check_token(body.token)
    await _contents(sandbox, body, _ANY_ACCOUNT, where)


async def _open(sandbox: Sandbox, body: ScenarioAccount, where: str) -> None:
    account = await sandbox.accounts.with_token(body.token or "")
    if await sandbox.store.messages.count(account.id):
        return
    contents = await _contents(sandbox, body, account, where)
    await sandbox.reset.fill(contents)


async def _contents(
    sandbox: Sandbox, body: ScenarioAccount, account: Account, where: str
) -> AccountContents:
    reader = ScenarioReader(sandbox.channels, sandbox.ids)
    return await reader.contents(body, account, sandbox.real.now(), where)
