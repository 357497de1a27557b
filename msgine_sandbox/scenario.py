"""Scenarios: accounts and messages that a sandbox starts with, from a JSON file."""

from dataclasses import replace
from pathlib import Path

import msgspec

from msgine_sandbox.api.first_generation import draft
from msgine_sandbox.control.account import SETTABLE, changed
from msgine_sandbox.control.webhooks import endpoints_of
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import ApiError, InvalidRequest
from msgine_sandbox.model.ids import written
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import SettingsError, is_token
from msgine_sandbox.storage.messages import Filter

_OWN = {"token", "endpoints", "messages", "frozen"}
_MESSAGE = {"to", "message", "from", "callbackUrl", "secondsAgo"}
_LONGEST_AGO = 365 * 24 * 3600


async def load(sandbox: Sandbox, file: str) -> None:
    """Open a scenario's accounts and send their messages.

    An account that has messages already is left alone, so that a restart adds nothing.

    Raises:
        SettingsError: the file cannot be read, or asks for what cannot be.
    """
    place = "accounts"
    try:
        scenario = _read(file)
        scenario.only({"accounts"}, "A scenario")
        for number, account in enumerate(scenario.objects("accounts")):
            place = f"accounts[{number}]"
            await _open(sandbox, account)
    except ApiError as error:
        raise SettingsError(f"--scenario {file}: {place}: {error.message}.") from error


def _read(file: str) -> Fields:
    try:
        content = msgspec.json.decode(Path(file).read_bytes())
    except OSError as error:
        raise SettingsError(f"--scenario {file} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"--scenario {file} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise SettingsError(f"--scenario {file} is not a JSON object.")
    return Fields(content)


async def _open(sandbox: Sandbox, body: Fields) -> None:
    body.only(_OWN | SETTABLE, "An account of a scenario")
    token = body.required_text("token")
    if not is_token(token):
        raise InvalidRequest("token must be printable ASCII without spaces, and not empty")
    account = await sandbox.accounts.with_token(token)
    if await sandbox.store.messages.count(Filter(account=account.id)):
        return
    account = changed(account, body.part(SETTABLE))
    if body.get("endpoints") is not None:
        account = replace(account, endpoints=endpoints_of(body))
    await sandbox.accounts.save(account)
    if body.get("messages") is not None:
        for message in body.objects("messages"):
            await _send(sandbox, account, message)
    if body.flag("frozen"):
        await sandbox.clocks.freeze(account.id)


async def _send(sandbox: Sandbox, account: Account, body: Fields) -> None:
    body.only(_MESSAGE, "A message of a scenario")
    ago = body.number("secondsAgo") or 0
    if not 0 <= ago <= _LONGEST_AGO:
        raise InvalidRequest("secondsAgo must be from 0 to a year's seconds")
    at = sandbox.accounts.now(account.id) - seconds(ago)
    request_id = written("req", sandbox.ids.next())
    await sandbox.messages.accept(
        sandbox.messages.compose(account, draft(body), request_id, now=at)
    )
