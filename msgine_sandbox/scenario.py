"""Scenarios: accounts and messages that a sandbox starts with, from a JSON file."""

import os
import sys
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from msgine_sandbox.api import developers
from msgine_sandbox.api import messages as messages_api
from msgine_sandbox.api.schema import MessageCodec
from msgine_sandbox.asgi.fields import Fields
from msgine_sandbox.control.accounts import AccountBody, changed
from msgine_sandbox.control.bodies import Body, convert
from msgine_sandbox.control.webhooks import EndpointBody, endpoints_of
from msgine_sandbox.model import idempotency
from msgine_sandbox.model.account import TIERS, Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import ApiError, InvalidRequest
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.message import Message
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.drafts import SendContext
from msgine_sandbox.settings import SettingsError, is_token

_CODECS: Final[dict[Channel, MessageCodec[Any]]] = {
    **developers.CODECS,
    Channel.SMS: messages_api.SMS,
}
"""How messages are read: an SMS as in the Messages API, the others as in the Developers API."""
_ANY_ACCOUNT: Final = Account(
    id=0, token_hint="", magic="", tier=Tier.STARTER, limits=TIERS[Tier.STARTER]
)
"""What an account's settings and messages are checked with before it is opened."""
_MAX_SIZE: Final = 16 * 1024 * 1024  # bytes
_YEAR: Final = 365 * 24 * 3600  # seconds


class ScenarioAccount(AccountBody, frozen=True, kw_only=True):
    """An account of a scenario: its settings, its endpoints and its messages."""

    token: str
    endpoints: list[EndpointBody] | None = None
    messages: list[dict[str, Any]] | None = None
    frozen: bool | None = None


class ScenarioBody(Body, frozen=True, kw_only=True):
    """A scenario."""

    accounts: list[ScenarioAccount]


class ScenarioMessage(Body, frozen=True, kw_only=True):
    """The fields of a message that are a scenario's own; the others are those of its channel."""

    channel: Channel | None = None
    seconds_ago: Annotated[float, Meta(ge=0, le=_YEAR)] | None = None


async def load(sandbox: Sandbox, file: str) -> None:
    """Open a scenario's accounts and send their messages, all of them or none.

    An account that has messages already is left alone, so that a restart adds nothing.

    Raises:
        SettingsError: the file cannot be read, or asks for what cannot be.
    """
    try:
        scenario = convert(_parse(file), ScenarioBody, "A scenario")
        for number, account in enumerate(scenario.accounts):
            await _check(sandbox, account, f"accounts[{number}]")
    except ApiError as error:
        raise SettingsError(f"--scenario {file}: {error.message}.") from error
    for account in scenario.accounts:
        await _open(sandbox, account)


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
    try:
        if not is_token(body.token):
            raise InvalidRequest("token must be printable ASCII without spaces, and not empty")
        sandbox.accounts.check_token(body.token)
        account = _with_settings(_ANY_ACCOUNT, body)
    except ApiError as error:
        raise InvalidRequest(f"{where}: {error.message}") from error
    for number, message in enumerate(body.messages or []):
        try:
            await _composed(sandbox, account, message)
        except ApiError as error:
            reason = error.details.get("reason")  # such as why a text is no phone number
            why = f" ({reason.rstrip('.')})" if reason else ""
            raise InvalidRequest(f"{where}.messages[{number}]: {error.message}{why}") from error


async def _open(sandbox: Sandbox, body: ScenarioAccount) -> None:
    account = await sandbox.accounts.with_token(body.token)
    if await sandbox.store.messages.count(account.id):
        return
    account = _with_settings(account, body)
    await sandbox.accounts.save(account)
    for message in body.messages or []:
        await sandbox.messages.accept(await _composed(sandbox, account, message))
    if body.frozen:
        await sandbox.time_travel.freeze(account.id)


def _with_settings(account: Account, body: ScenarioAccount) -> Account:
    account = changed(account, body)
    if body.endpoints is None:
        return account
    return replace(account, endpoints=endpoints_of(body.endpoints))


async def _composed(sandbox: Sandbox, account: Account, content: dict[str, Any]) -> Message:
    """Return the message that a part of the scenario asks for."""
    own_names = ScenarioMessage.__struct_encode_fields__
    own = {name: value for name, value in content.items() if name in own_names}
    body = convert(own, ScenarioMessage)
    channel = body.channel or Channel.SMS
    codec = _CODECS[channel]
    names = {*codec.names, *own_names} - {idempotency.FIELD}
    Fields(content).forbid_unknown(names, "A message of a scenario")
    at = account.clock.at(sandbox.real.now()) - seconds(body.seconds_ago or 0)
    context = SendContext(account, format_id("req", sandbox.ids.next()), at)
    service = sandbox.channels[channel]
    return await service.compose(await service.prepared(codec.read(content)), context)
