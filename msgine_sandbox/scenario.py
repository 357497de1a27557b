"""Scenarios: accounts and messages that a sandbox starts with, from a JSON file."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from msgine_sandbox.api import developers
from msgine_sandbox.api import messages as messages_api
from msgine_sandbox.api.schema import MessageCodec
from msgine_sandbox.asgi.fields import Fields
from msgine_sandbox.control.accounts import SETTABLE, changed
from msgine_sandbox.control.webhooks import endpoints_of
from msgine_sandbox.model import idempotency
from msgine_sandbox.model.account import TIERS, Account, Tier
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import ApiError, InvalidRequest
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.message import Message
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.drafts import SendContext
from msgine_sandbox.settings import SettingsError, is_token
from msgine_sandbox.storage.filter import Filter

_OWN = {"token", "endpoints", "messages", "frozen"}
_OWN_OF_MESSAGES = {"channel", "secondsAgo"}
_CODECS: dict[Channel, MessageCodec[Any]] = {**developers.CODECS, Channel.SMS: messages_api.SMS}
"""How messages are read: an SMS as in the Messages API, the others as in the Developers API."""
_ANYBODY = Account(id=0, token_hint="", magic="", tier=Tier.STARTER, limits=TIERS[Tier.STARTER])
_LONGEST_AGO = 365 * 24 * 3600


async def load(sandbox: Sandbox, file: str) -> None:
    """Open a scenario's accounts and send their messages, all of them or none.

    An account that has messages already is left alone, so that a restart adds nothing.

    Raises:
        SettingsError: the file cannot be read, or asks for what cannot be.
    """
    scenario = _read(file)
    try:
        scenario.forbid_unknown({"accounts"}, "A scenario")
        accounts = scenario.objects("accounts")
        for number, account in enumerate(accounts):
            await _check(sandbox, account, f"accounts[{number}]")
    except ApiError as error:
        raise SettingsError(f"--scenario {file}: {error.message}.") from error
    for account in accounts:
        await _open(sandbox, account)


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


async def _check(sandbox: Sandbox, body: Fields, where: str) -> None:
    try:
        body.forbid_unknown(_OWN | SETTABLE, "An account of a scenario")
        if not is_token(body.required_text("token")):
            raise InvalidRequest("token must be printable ASCII without spaces, and not empty")
        sandbox.accounts.check_token(body.required_text("token"))
        body.flag("frozen")
        account = _with_settings(_ANYBODY, body)
        for number, message in enumerate(_messages(body)):
            where = f"{where.partition('.')[0]}.messages[{number}]"
            await _composed(sandbox, account, message)
    except ApiError as error:
        raise InvalidRequest(f"{where}: {error.message}") from error


async def _open(sandbox: Sandbox, body: Fields) -> None:
    account = await sandbox.accounts.with_token(body.required_text("token"))
    if await sandbox.store.messages.count(Filter(account=account.id)):
        return
    account = _with_settings(account, body)
    await sandbox.accounts.save(account)
    for message in _messages(body):
        await sandbox.messages.accept(await _composed(sandbox, account, message))
    if body.flag("frozen"):
        await sandbox.time_travel.freeze(account.id)


def _with_settings(account: Account, body: Fields) -> Account:
    account = changed(account, body.subset(SETTABLE))
    if body.get("endpoints") is None:
        return account
    return replace(account, endpoints=endpoints_of(body))


def _messages(body: Fields) -> list[Fields]:
    return [] if body.get("messages") is None else body.objects("messages")


async def _composed(sandbox: Sandbox, account: Account, body: Fields) -> Message:
    """Return the message that a part of the scenario asks for."""
    channel = body.choice("channel", Channel) or Channel.SMS
    codec = _CODECS[channel]
    names = {*codec.names, *_OWN_OF_MESSAGES} - {idempotency.FIELD}
    body.forbid_unknown(names, "A message of a scenario")
    ago = body.number("secondsAgo") or 0
    if not 0 <= ago <= _LONGEST_AGO:
        raise InvalidRequest("secondsAgo must be from 0 to a year's seconds")
    at = account.clock.at(sandbox.real.now()) - seconds(ago)
    request_id = format_id("req", sandbox.ids.next())
    context = SendContext(account, request_id, at)
    return await sandbox.channels[channel].compose(codec.read(body), context)
