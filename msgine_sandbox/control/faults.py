"""`/_sandbox/faults`: what is to happen on purpose, and how often it has."""

import re
from typing import Annotated, Any, Final

from msgspec import Meta
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fault_errors import FAULT_CODES
from msgine_sandbox.asgi.fields import invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.bodies import Body, convert
from msgine_sandbox.control.views import DeletedView, Drop, ListView, fault_view
from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.characters import is_one_line
from msgine_sandbox.model.clock import SECOND
from msgine_sandbox.model.errors import InvalidRequest, NotFound
from msgine_sandbox.model.fault import (
    METHODS,
    PREFIX,
    DeliveryEffect,
    Effect,
    Match,
    MethodName,
    RequestEffect,
    WebhookEffect,
)
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.model.recipients import MAX_TARGET
from msgine_sandbox.model.webhook import EventType, WebhookMode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.faults import Faults, FaultSpec
from msgine_sandbox.services.time_travel import FARTHEST
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.storage.faults import FaultRows


class FaultsControl:
    """Adds, reads and removes the faults of an account.

    Without one, all faults are read and removed, and one that is added applies to all accounts.
    """

    def __init__(self, faults: Faults, rows: FaultRows, accounts: Accounts) -> None:
        self._faults = faults
        self._rows = rows
        self._accounts = accounts

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/faults", GET=self.list, POST=self.add, DELETE=self.clear),
            resource("/_sandbox/faults/{id}", GET=self.read, DELETE=self.remove),
        ]

    async def list(self, request: Request) -> Answer:
        """List faults, oldest first."""
        found = await self._rows.all(context_of(request).account_id)
        return json_answer(
            ListView(data=[fault_view(each, self._accounts) for each in found], total=len(found))
        )

    async def add(self, request: Request) -> Answer:
        """Add a fault, and return it with 201."""
        context = context_of(request)
        fault = await self._faults.add(context.account_id, fault_spec(content_of(context)))
        return json_answer(fault_view(fault, self._accounts), 201)

    async def read(self, request: Request) -> Answer:
        """Return one fault."""
        fault_id = parse_id(PREFIX, request.path_params["id"])
        for fault in await self._rows.all(context_of(request).account_id):
            if fault.id == fault_id:
                return json_answer(fault_view(fault, self._accounts))
        raise NotFound("Fault not found")

    async def clear(self, request: Request) -> Answer:
        """Remove all faults."""
        deleted = await self._faults.remove(context_of(request).account_id)
        return json_answer(DeletedView(deleted=deleted))

    async def remove(self, request: Request) -> Answer:
        """Remove one fault."""
        fault_id = parse_id(PREFIX, request.path_params["id"])
        deleted = fault_id and await self._faults.remove(context_of(request).account_id, fault_id)
        if not deleted:
            raise NotFound("Fault not found")
        return json_answer(DeletedView(deleted=deleted))


MAX_DELAY: Final = 600  # seconds of real time
MAX_RETRY_AFTER: Final = 24 * 3600  # seconds that an answer may ask to wait
_MAX_PATH: Final = 2048
_MAX_TIMES: Final = 1_000_000
_MAX_SEED: Final = 2**63 - 1
MAX_REASON: Final = 200
REASON: Final = f"1 to {MAX_REASON} characters in one line"
_NUMBER_LIKE: Final = r"[+0-9 ().-]*\*?"
_OF_NUMBERS: Final = frozenset("+0123456789*")
_NUMBER: Final = r"\+[1-9][0-9]{1,14}|\+?[0-9]{0,14}\*"


class RequestMatchBody(Body, frozen=True, kw_only=True):
    """Which requests a fault applies to: all given fields must match."""

    method: MethodName | None = None
    path: str | None = None
    to: str | None = None


class WebhookMatchBody(Body, frozen=True, kw_only=True):
    """Which webhooks a fault applies to: all given fields must match."""

    event: EventType | None = None
    to: str | None = None


class DeliveryMatchBody(Body, frozen=True, kw_only=True):
    """Which deliveries a fault applies to: all given fields must match."""

    to: str | None = None
    channel: Channel | None = None


class RequestEffectBody(Body, frozen=True, kw_only=True):
    """What happens to requests."""

    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    code: str | None = None
    envelope: bool | None = None
    retry_after: Annotated[int, Meta(ge=0, le=MAX_RETRY_AFTER)] | None = None
    delay: Annotated[float, Meta(ge=0, le=MAX_DELAY)] | None = None
    drop: Drop | None = None
    malformed: bool | None = None
    commit: bool | None = None
    webhook: None = None
    delivery: None = None


class WebhookEffectBody(Body, frozen=True, kw_only=True):
    """What happens to webhooks."""

    webhook: WebhookMode
    delay: Annotated[float, Meta(ge=0, le=FARTHEST // SECOND)] | None = None


class DeliveryEffectBody(Body, frozen=True, kw_only=True):
    """How deliveries end."""

    delivery: Outcome
    reason: str | None = None
    after: Annotated[float, Meta(ge=0, le=FARTHEST // SECOND)] | None = None


class FaultBody(Body, frozen=True, kw_only=True):
    """How often a fault acts."""

    times: Annotated[int, Meta(ge=1, le=_MAX_TIMES)] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=-_MAX_SEED, le=_MAX_SEED)] | None = None
    commit: bool | None = None
    """It may stand here or in the effect."""


class RequestFaultBody(FaultBody, frozen=True, kw_only=True):
    """A fault of requests."""

    effect: RequestEffectBody
    match: RequestMatchBody | None = None


class WebhookFaultBody(FaultBody, frozen=True, kw_only=True):
    """A fault of webhooks."""

    effect: WebhookEffectBody
    match: WebhookMatchBody | None = None


class DeliveryFaultBody(FaultBody, frozen=True, kw_only=True):
    """A fault of deliveries."""

    effect: DeliveryEffectBody
    match: DeliveryMatchBody | None = None


def fault_spec(content: object, whole: str = "The body") -> FaultSpec:
    """Return the fault that a body asks for; `whole` is how error messages call it.

    Raises:
        InvalidRequest: a field is unknown or has a wrong value, or two contradict each other.
    """
    if _is_about("webhook", content):
        return _webhook_fault(convert(content, WebhookFaultBody, whole))
    if _is_about("delivery", content):
        return _delivery_fault(convert(content, DeliveryFaultBody, whole))
    return _request_fault(convert(content, RequestFaultBody, whole))


def is_reason(text: str) -> bool:
    """Return whether a text can be the reason of a failure."""
    return 0 < len(text) <= MAX_REASON and not text.isspace() and is_one_line(text)


def _is_about(name: str, content: Any) -> bool:
    effect = content.get("effect") if isinstance(content, dict) else None
    return isinstance(effect, dict) and effect.get(name) is not None


def _request_fault(body: RequestFaultBody) -> FaultSpec:
    effect = _request_effect(body.effect, commits=bool(body.commit or body.effect.commit))
    return _spec(body, _request_match(body.match or RequestMatchBody()), effect)


def _webhook_fault(body: WebhookFaultBody) -> FaultSpec:
    if body.commit:
        raise invalid_field("commit", body.commit, "absent in a fault of webhooks")
    effect = _webhook_effect(body.effect)
    return _spec(body, _webhook_match(body.match or WebhookMatchBody(), effect), effect)


def _delivery_fault(body: DeliveryFaultBody) -> FaultSpec:
    if body.commit:
        raise invalid_field("commit", body.commit, "absent in a fault of deliveries")
    match = body.match or DeliveryMatchBody()
    effect = _delivery_effect(body.effect, match.channel)
    to = _checked_recipient(match.to)
    if to is not None and not _is_possible(to, match.channel):
        what = "a number in E.164" if match.channel is Channel.SMS else "an email address"
        raise invalid_field("match.to", to, f"{what} where channel is {match.channel}")
    return _spec(body, Match(to=to, channel=match.channel), effect)


def _spec(body: FaultBody, match: Match, effect: Effect) -> FaultSpec:
    return FaultSpec(
        match=match,
        effect=effect,
        times=body.times,
        probability=1.0 if body.probability is None else body.probability,
        seed=body.seed or 0,
    )


def _request_match(body: RequestMatchBody) -> Match:
    method, path = body.method, body.path
    if method is not None and method.upper() not in METHODS:
        raise invalid_field("match.method", method, "one of " + ", ".join(METHODS))
    if path is not None and not _is_path(path):
        expected = f"a path below the base URL, such as /messages/sms, of at most {_MAX_PATH}"
        raise invalid_field("match.path", path[:_MAX_PATH], f"{expected} characters")
    return Match(
        method=method and method.upper(),
        path=path and (path.removeprefix(BASE_PATH) or "/"),
        to=_checked_recipient(body.to),
    )


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable() and len(text) <= _MAX_PATH


def _webhook_match(body: WebhookMatchBody, effect: WebhookEffect) -> Match:
    event = body.event
    if effect.mode is WebhookMode.REORDER:
        if event not in {None, EventType.SENT}:
            raise invalid_field(
                "match.event", event, f"{EventType.SENT}, the only event that reorder holds back"
            )
        event = EventType.SENT
    return Match(event=event, to=_checked_recipient(body.to))


def _checked_recipient(to: str | None) -> str | None:
    if to is None or re.fullmatch(_NUMBER, to):
        return to
    is_target = not re.fullmatch(_NUMBER_LIKE, to) and is_one_line(to) and " " not in to
    if is_target and len(to) <= MAX_TARGET:
        return to  # an email address, or the target of a push
    raise invalid_field(
        "match.to",
        to[:MAX_TARGET],
        "a number in E.164, an email address or the target of a push; * stands for any part of it",
    )


def _is_possible(to: str, channel: Channel | None) -> bool:
    """Return whether any recipient of a channel fits; a fault that never acts is a mistake."""
    if channel is Channel.SMS:
        return _OF_NUMBERS.issuperset(to)
    return channel is not Channel.EMAIL or "@" in to or "*" in to


def _webhook_effect(body: WebhookEffectBody) -> WebhookEffect:
    if body.webhook is WebhookMode.PLAIN:
        faulty = [each for each in WebhookMode if each is not WebhookMode.PLAIN]
        raise invalid_field("effect.webhook", body.webhook, "one of " + ", ".join(faulty))
    delay = body.delay or 0
    if (body.webhook is WebhookMode.DELAY) is not (delay > 0):
        raise invalid_field(
            "effect.delay",
            body.delay,
            "more than 0 seconds where webhook is delay, and absent where it is not",
        )
    return WebhookEffect(mode=body.webhook, delay=delay)


def _delivery_effect(body: DeliveryEffectBody, channel: Channel | None) -> DeliveryEffect:
    outcome, reason, after = body.delivery, body.reason, body.after
    if reason is not None and outcome not in {Outcome.FAILED, Outcome.REFUSED}:
        raise invalid_field(
            "effect.reason", reason[:MAX_REASON], "absent unless delivery is failed or refused"
        )
    if reason is not None and not is_reason(reason):
        raise invalid_field("effect.reason", reason[:MAX_REASON], REASON)
    if after is not None and outcome is Outcome.PENDING:
        raise invalid_field("effect.after", after, "absent where delivery is pending")
    is_at_once = channel is not None and TRAITS[channel].settled_at_acceptance
    if after and is_at_once and outcome in {Outcome.SENT, Outcome.REFUSED}:
        raise invalid_field(
            "effect.after", after, f"absent: a {channel} is sent or refused when it is accepted"
        )
    return DeliveryEffect(outcome=outcome, reason=reason, after=after)


def _request_effect(body: RequestEffectBody, *, commits: bool) -> RequestEffect:
    effect = RequestEffect(
        status=body.status,
        code=body.code,
        envelope=body.envelope is not False,
        retry_after=body.retry_after,
        delay=body.delay or 0,
        drop=body.drop is not None,
        malformed=bool(body.malformed),
        commit=commits or body.drop is Drop.AFTER,
    )
    _check_together(effect, contradicts=commits and body.drop is Drop.BEFORE)
    return effect


def _check_together(effect: RequestEffect, *, contradicts: bool) -> None:
    """Raise InvalidRequest unless the fields of an effect go together."""
    responds = effect.status is not None
    rules = [
        (
            responds or effect.delay or effect.drop or effect.malformed,
            "An effect needs one of status, delay, drop, malformed, webhook and delivery",
        ),
        (
            not (effect.drop and (responds or effect.malformed)),
            "drop cannot be combined with status or malformed: there is no response",
        ),
        (
            not contradicts,
            "commit cannot be combined with drop: before, which drops the request unhandled",
        ),
        (responds or effect.retry_after is None, "retryAfter needs a status"),
        (responds or effect.envelope, "envelope: false needs a status"),
        (
            effect.envelope or effect.code is None,
            "code cannot be combined with envelope: false, which leaves out the code",
        ),
        (
            effect.code is None or FAULT_CODES.get(effect.code) == effect.status,
            "code must be an error code that the API has for the status",
        ),
    ]
    for holds, sentence in rules:
        if not holds:
            raise InvalidRequest(sentence, field="effect", expected=sentence)
