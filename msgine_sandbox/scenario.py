"""Scenarios: accounts and messages that a sandbox starts with, from a JSON file."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from msgine_sandbox.api import first_generation, second_generation
from msgine_sandbox.api.form import Composer, Form
from msgine_sandbox.control.account import SETTABLE, changed
from msgine_sandbox.control.webhooks import endpoints_of
from msgine_sandbox.domain.drafts import Origin
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.keys import FIELD
from msgine_sandbox.model.account import TIERS, Account, Tier
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import ApiError, InvalidRequest
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.message import Message
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import SettingsError, is_token
from msgine_sandbox.storage.filter import Filter

_OWN = {"token", "endpoints", "messages", "frozen"}
_OWN_OF_MESSAGES = {"channel", "secondsAgo"}
_FORMS: dict[Channel, Form[Any]] = {
    Channel.SMS: first_generation.SMS,
    Channel.EMAIL: second_generation.EMAIL,
    Channel.PUSH: second_generation.PUSH,
}
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
        scenario.only({"accounts"}, "A scenario")
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


async def _check(sandbox: Sandbox, body: Fields, place: str) -> None:
    try:
        body.only(_OWN | SETTABLE, "An account of a scenario")
        if not is_token(body.required_text("token")):
            raise InvalidRequest("token must be printable ASCII without spaces, and not empty")
        sandbox.accounts.check(body.required_text("token"))
        body.flag("frozen")
        account = _as_said(_ANYBODY, body)
        for number, message in enumerate(_messages(body)):
            place = f"{place.partition('.')[0]}.messages[{number}]"
            await _composed(sandbox, account, message)
    except ApiError as error:
        raise InvalidRequest(f"{place}: {error.message}") from error


async def _open(sandbox: Sandbox, body: Fields) -> None:
    account = await sandbox.accounts.with_token(body.required_text("token"))
    if await sandbox.store.messages.count(Filter(account=account.id)):
        return
    account = _as_said(account, body)
    await sandbox.accounts.save(account)
    for message in _messages(body):
        await sandbox.messages.accept(await _composed(sandbox, account, message))
    if body.flag("frozen"):
        await sandbox.clocks.freeze(account.id)


def _as_said(account: Account, body: Fields) -> Account:
    account = changed(account, body.part(SETTABLE))
    if body.get("endpoints") is None:
        return account
    return replace(account, endpoints=endpoints_of(body))


def _messages(body: Fields) -> list[Fields]:
    return [] if body.get("messages") is None else body.objects("messages")


async def _composed(sandbox: Sandbox, account: Account, body: Fields) -> Message:
    """Compose a message: an SMS as the first generation does it, the others as the second."""
    channel = body.choice("channel", Channel) or Channel.SMS
    form, composer = _FORMS[channel], _composer(sandbox, channel)
    body.only({*form.fields, *_OWN_OF_MESSAGES} - {FIELD}, "A message of a scenario")
    ago = body.number("secondsAgo") or 0
    if not 0 <= ago <= _LONGEST_AGO:
        raise InvalidRequest("secondsAgo must be from 0 to a year's seconds")
    at = account.clock.at(sandbox.real.now()) - seconds(ago)
    request_id = written("req", sandbox.ids.next())
    return await composer.compose(form.draft(body), Origin(account, request_id, at))


def _composer(sandbox: Sandbox, channel: Channel) -> Composer[Any]:
    composers: dict[Channel, Composer[Any]] = {
        each.channel: each for each in (sandbox.sms, sandbox.email, sandbox.push)
    }
    return composers[channel]
