"""Scenarios as they are written: accounts with their settings, endpoints, faults and messages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

from msgspec import Meta
from msgspec.structs import replace

from msgine_sandbox.api import developers
from msgine_sandbox.api import messages as messages_api
from msgine_sandbox.api.schema import MessageCodec
from msgine_sandbox.asgi.fields import Fields, invalid_field
from msgine_sandbox.control.accounts import AccountBody, changed
from msgine_sandbox.control.bodies import Body, convert, with_full_path
from msgine_sandbox.control.faults import MAX_REASON, REASON, fault_spec, is_reason
from msgine_sandbox.control.webhooks import EndpointBody, endpoints_of
from msgine_sandbox.model import idempotency
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import DAY, LATEST, SECOND, Clock, Instant, seconds
from msgine_sandbox.model.delivery import (
    NEXT,
    PlannedStatus,
    Status,
    Timeline,
    planned_timelines,
)
from msgine_sandbox.model.errors import ApiError, InvalidRequest
from msgine_sandbox.model.ids import Ids, format_id
from msgine_sandbox.model.journal import PREFIX
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services.drafts import ChannelService, ScheduledTime, SendContext
from msgine_sandbox.services.faults import MAX_FAULTS, FaultSpec
from msgine_sandbox.services.reset import AccountContents, RestoredMessage
from msgine_sandbox.services.time_travel import FARTHEST

CODECS: Final[Mapping[Channel, MessageCodec[Any]]] = {
    **developers.CODECS,
    Channel.SMS: messages_api.SMS,
}
"""How messages are read: an SMS as in the Messages API, the others as in the Developers API."""
LONGEST_AGO: Final = 50 * 365 * DAY
"""Microseconds: before 1970 there are no times."""
_LATEST: Final = LATEST // SECOND
_LOADED_LATER: Final = FARTHEST
"""How far past `LATEST` times may be: what was to come at the end of time when an account was saved
is later than that when it is loaded."""
_MOST_COUNTED: Final = 2**53


class ScenarioAccount(AccountBody, frozen=True, kw_only=True):
    """An account of a scenario."""

    token: str | None = None
    """Required in a file; a call names the account itself."""
    endpoints: list[EndpointBody] | None = None
    faults: list[dict[str, Any]] | None = None
    messages: list[dict[str, Any]] | None = None
    frozen: bool | None = None


class ScenarioBody(Body, frozen=True, kw_only=True):
    """A scenario."""

    accounts: list[ScenarioAccount]


class ScenarioStatus(Body, frozen=True, kw_only=True):
    """A status that a delivery has had, or will have."""

    status: Status
    after: Annotated[float, Meta(ge=0, le=_LATEST)]
    """Seconds from acceptance."""
    reason: str | None = None


class ScenarioRecipient(Body, frozen=True, kw_only=True):
    """The delivery of a message to a recipient."""

    to: str
    timeline: list[ScenarioStatus]
    rule: str | None = None


class ScenarioMessage(Body, frozen=True, kw_only=True):
    """The fields of a message that are a scenario's own; the others are those of its channel."""

    channel: Channel | None = None
    seconds_ago: Annotated[float, Meta(ge=0, le=LONGEST_AGO // SECOND)] | None = None
    scheduled_after: Annotated[float, Meta(ge=0.000001, le=_LATEST)] | None = None
    """Seconds from acceptance to the scheduled time."""
    recipients: list[ScenarioRecipient] | None = None


class ScenarioCounts(Body, frozen=True, kw_only=True):
    """The fields of a fault that are a scenario's own."""

    hits: Annotated[int, Meta(ge=0, le=_MOST_COUNTED)] | None = None
    seen: Annotated[int, Meta(ge=0, le=_MOST_COUNTED)] | None = None


_OWN: Final = ScenarioMessage.__struct_encode_fields__
_OWN_OF_FAULTS: Final = ScenarioCounts.__struct_encode_fields__


def scenario_of(content: object) -> ScenarioBody:
    """Return a scenario, whose messages and faults are not read yet.

    Raises:
        InvalidRequest: `details.field` has the full path of the field that is not as it must be.
    """
    try:
        return convert(content, ScenarioBody, "A scenario")
    except InvalidRequest as error:
        field = error.path or error.details["field"]
        raise InvalidRequest(error.message, **{**error.details, "field": field}) from error


@contextmanager
def part(where: str) -> Iterator[None]:
    """Let an error inside the block name the path of a part of the scenario."""
    try:
        yield
    except ApiError as error:
        raise with_full_path(error, where) from error


class ScenarioReader:
    """Reads the accounts of scenarios."""

    def __init__(self, channels: Mapping[Channel, ChannelService[Any]], ids: Ids) -> None:
        self._channels = channels
        self._ids = ids

    async def contents(
        self, body: ScenarioAccount, account: Account, real: Instant, where: str
    ) -> AccountContents:
        """Return what an account is to have at a real time; `where` is its path in the scenario.

        Raises:
            InvalidRequest: something cannot be; `details.field` has the full path.
        """
        account, now = _with_settings(account, body, where), account.clock.at(real)
        if body.frozen is not None:
            clock = Clock(frozen_at=now) if body.frozen else Clock(ahead=now - real)
            account = replace(account, clock=clock)
        messages, slices = [], Slices()
        for index, message in enumerate(body.messages or ()):
            with part(f"{where}.messages[{index}]"):
                messages.append(await self._message(message, account, now))
            await slices.pause()
        faults = _faults(body.faults or (), where)
        return AccountContents(account=account, now=now, faults=faults, messages=messages)

    async def _message(
        self, content: dict[str, Any], account: Account, now: Instant
    ) -> RestoredMessage:
        own = {name: value for name, value in content.items() if name in _OWN}
        body = convert(own, ScenarioMessage)
        channel = body.channel or Channel.SMS
        codec = CODECS[channel]
        names = {*codec.names, *_OWN} - {idempotency.FIELD}
        Fields(content).forbid_unknown(names, "A message of a scenario")
        ago = seconds(body.seconds_ago or 0)
        context = SendContext(
            account, format_id(PREFIX, self._ids.next()), self._ids.next(), now - ago
        )
        service, draft = self._channels[channel], codec.read(content)
        if body.scheduled_after is not None:
            if draft.scheduled_for is not None:
                raise invalid_field(
                    "scheduledAfter", body.scheduled_after, "absent if scheduledFor is present"
                )
            wait = seconds(body.scheduled_after)
            _check_end("scheduledAfter", body.scheduled_after, context.now + wait)
            at = min(context.now + wait, LATEST)
            draft = replace(draft, scheduled_for=ScheduledTime(at, "", has_offset=True))
        message = await service.compose(await service.prepared(draft), context)
        if body.recipients is None:
            return RestoredMessage(message, is_known=False)
        return RestoredMessage(_with_statuses(message, body.recipients, ago), is_known=True)


def _check_end(field: str, value: float, at: Instant) -> None:
    """Raise InvalidRequest if what a field in seconds says is at a time that no clock shows."""
    if at > LATEST + _LOADED_LATER:
        expected = "seconds from acceptance to a time before the year 10000"
        raise invalid_field(field, value, expected)


def _with_settings(account: Account, body: ScenarioAccount, where: str) -> Account:
    with part(where):
        account = changed(account, body)
        if body.endpoints is None:
            return account
        return replace(account, endpoints=endpoints_of(body.endpoints))


def _faults(contents: Sequence[dict[str, Any]], where: str) -> list[FaultSpec]:
    if len(contents) > MAX_FAULTS:
        expected = f"an array of at most {MAX_FAULTS} faults"
        with part(where):
            raise invalid_field("faults", len(contents), expected)
    found = []
    for index, content in enumerate(contents):
        with part(f"{where}.faults[{index}]"):
            found.append(_fault(content))
    return found


def _fault(content: dict[str, Any]) -> FaultSpec:
    own = {name: value for name, value in content.items() if name in _OWN_OF_FAULTS}
    counts = convert(own, ScenarioCounts)
    rest = {name: value for name, value in content.items() if name not in _OWN_OF_FAULTS}
    spec, hits = fault_spec(rest, "A fault"), counts.hits or 0
    seen = hits if counts.seen is None else counts.seen
    if seen < hits:
        raise invalid_field("seen", seen, f"at least {hits}, which hits is")
    if spec.times is not None and hits > spec.times:
        raise invalid_field("hits", hits, f"at most {spec.times}, which times is")
    return replace(spec, hits=hits, seen=seen)


def _with_statuses(message: Message, bodies: Sequence[ScenarioRecipient], ago: int) -> Message:
    """Return a message with the statuses that a scenario says its recipients have, and will have.

    `ago` is how long ago it was accepted, in microseconds.
    """
    given = {body.to: body for body in bodies}
    if len(given) != len(bodies) or given.keys() != set(message.recipients):
        expected = "an array with each recipient of the message once"
        raise invalid_field("recipients", [body.to for body in bodies], expected)
    first = Status.PENDING if message.scheduled_at is None else Status.QUEUED
    each = {}
    for index, body in enumerate(bodies):
        with part(f"recipients[{index}]"):
            each[body.to] = _timeline(body, first, message, ago)
    timelines = planned_timelines(
        message.created_at, message.timelines.known, [each[to] for to in message.recipients]
    )
    return replace(message, timelines=timelines)


def _timeline(body: ScenarioRecipient, first: Status, message: Message, ago: int) -> Timeline:
    created_at, known = message.created_at, message.timelines.known
    if body.rule is not None and not is_reason(body.rule):
        raise invalid_field("rule", body.rule[:MAX_REASON], REASON)
    timeline: list[PlannedStatus] = []
    for index, one in enumerate(body.timeline):
        with part(f"timeline[{index}]"):
            timeline.append(_planned(one, timeline, first, body.rule))
            _check_end("after", one.after, created_at + timeline[-1].after)
            if index < known and timeline[-1].after > ago:
                at_once = f"because a {message.channel} is sent or refused when it is accepted"
                raise invalid_field("after", one.after, f"at most secondsAgo, {at_once}")
    if not timeline:
        raise invalid_field("timeline", [], "an array with at least one status")
    return tuple(timeline)


def _planned(
    one: ScenarioStatus, before: Sequence[PlannedStatus], first: Status, rule: str | None
) -> PlannedStatus:
    allowed = NEXT[before[-1].status] if before else {first}
    if not allowed:
        problem = f"status cannot follow {before[-1].status}, which is final"
        raise InvalidRequest(
            problem, field="status", value=one.status, expected="no status after a final one"
        )
    if one.status not in allowed:
        raise invalid_field("status", one.status, " or ".join(sorted(allowed)))
    earliest = before[-1].after if before else 0
    after = seconds(one.after)
    if not before and after:
        raise invalid_field("after", one.after, "0 for the first status")
    if after < earliest:
        expected = f"at least {earliest / SECOND:.15g}, when the status before it begins"
        raise invalid_field("after", one.after, expected)
    if one.reason is not None and one.status is not Status.FAILED:
        raise invalid_field("reason", one.reason[:MAX_REASON], "absent unless status is failed")
    if one.reason is not None and not is_reason(one.reason):
        raise invalid_field("reason", one.reason[:MAX_REASON], REASON)
    return PlannedStatus(one.status, after, rule if one.status is Status.PENDING else one.reason)
