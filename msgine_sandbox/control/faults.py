"""`/_sandbox/faults`: what is to go wrong, and how often it has."""

import re
from typing import Final

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import read_json
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import Fields, invalid_field
from msgine_sandbox.asgi.routing import BASE_PATH, Resource, resource
from msgine_sandbox.control.views import fault_view, list_view
from msgine_sandbox.model.clock import SECOND
from msgine_sandbox.model.errors import InvalidRequest, NotFound
from msgine_sandbox.model.fault import (
    ERROR_CODES,
    PREFIX,
    Effect,
    Match,
    RequestEffect,
    WebhookEffect,
)
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.model.webhook import EventType, WebhookMode
from msgine_sandbox.services.faults import Faults, FaultSpec
from msgine_sandbox.services.time_travel import FARTHEST
from msgine_sandbox.storage.faults import FaultRows

MAX_DELAY: Final = 600  # seconds of real time
_MAX_RETRY_AFTER: Final = 24 * 3600  # seconds that an answer may ask to wait
_MAX_TIMES: Final = 1_000_000
_MAX_SEED: Final = 2**63 - 1
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_NUMBER_LIKE: Final = re.compile(r"[+0-9 ().-]*\*?")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}|\+?[0-9]{0,14}\*")
_FAULTY_MODES: Final = [each for each in WebhookMode if each is not WebhookMode.PLAIN]


class FaultsControl:
    """Add, look at and remove faults; without an account they are everybody's."""

    def __init__(self, faults: Faults, rows: FaultRows) -> None:
        self._faults = faults
        self._rows = rows

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/faults", GET=self.list, POST=self.add, DELETE=self.clear),
            resource("/_sandbox/faults/{id}", GET=self.read, DELETE=self.remove),
        ]

    async def list(self, request: Request) -> Answer:
        """List faults, the oldest first, with what is left of each."""
        found = await self._rows.all(context_of(request).account_id)
        return json_answer(list_view(list(map(fault_view, found)), len(found)))

    async def add(self, request: Request) -> Answer:
        """Add a fault: 201 with it."""
        fault = await self._faults.add(
            context_of(request).account_id, fault_spec(read_json(request))
        )
        return json_answer(fault_view(fault), 201)

    async def read(self, request: Request) -> Answer:
        """Give one fault."""
        number = parse_id(PREFIX, request.path_params["id"])
        for fault in await self._rows.all(context_of(request).account_id):
            if fault.id == number:
                return json_answer(fault_view(fault))
        raise NotFound("Fault not found")

    async def clear(self, request: Request) -> Answer:
        """Remove all faults."""
        return json_answer({"deleted": await self._faults.remove(context_of(request).account_id)})

    async def remove(self, request: Request) -> Answer:
        """Remove one fault."""
        number = parse_id(PREFIX, request.path_params["id"])
        deleted = number and await self._faults.remove(context_of(request).account_id, number)
        if not deleted:
            raise NotFound("Fault not found")
        return json_answer({"deleted": deleted})


def fault_spec(body: Fields) -> FaultSpec:
    """Read a fault.

    Raises:
        InvalidRequest: a field is unknown or has a wrong value, or two do not go together.
    """
    body.forbid_unknown({"match", "effect", "times", "probability", "seed", "commit"}, "A fault")
    body.required("effect", "an object with what is to happen")
    effect = _effect(body.object("effect") or Fields({}), commits=body.flag("commit"))
    match = body.object("match") or Fields({})
    probability = body.bounded_number("probability", 1)
    return FaultSpec(
        match=_match(match, effect),
        effect=effect,
        times=body.integer("times", 1, _MAX_TIMES),
        probability=1.0 if probability is None else float(probability),
        seed=body.integer("seed", -_MAX_SEED, _MAX_SEED) or 0,
    )


def _match(body: Fields, effect: Effect) -> Match:
    if isinstance(effect, RequestEffect):
        return _request_match(body)
    return _webhook_match(body, effect)


def _request_match(body: Fields) -> Match:
    body.forbid_unknown({"method", "path", "to"}, "The match of a fault of requests")
    method, path = body.text("method"), body.text("path")
    if method is not None and method.upper() not in _METHODS:
        raise invalid_field("match.method", method, "one of " + ", ".join(_METHODS))
    if path is not None and not path.startswith("/"):
        raise invalid_field(
            "match.path", path, "a path from the base URL on, such as /messages/sms"
        )
    return Match(
        method=method and method.upper(),
        path=path and (path.removeprefix(BASE_PATH) or "/"),
        to=_to(body),
    )


def _webhook_match(body: Fields, effect: WebhookEffect) -> Match:
    body.forbid_unknown({"event", "to"}, "The match of a fault of webhooks")
    event = body.choice("event", EventType)
    if effect.mode is WebhookMode.REORDER:
        if event not in {None, EventType.SENT}:
            raise invalid_field(
                "match.event", event, f"{EventType.SENT}, which is held back until the end"
            )
        event = EventType.SENT
    return Match(event=event, to=_to(body))


def _to(body: Fields) -> str | None:
    to = body.text("to")
    if to is None or _NUMBER.fullmatch(to):
        return to
    if not _NUMBER_LIKE.fullmatch(to) and to.isprintable() and " " not in to:
        return to  # an address, or what a push goes to
    raise invalid_field(
        "match.to", to, "a number in E.164, an address or a push's target, * for any part of it"
    )


def _effect(body: Fields, *, commits: bool) -> Effect:
    """Read an effect; `commit` may stand in it or beside it."""
    if body.get("webhook") is None:
        return _request_effect(body, commits=commits or body.flag("commit"))
    if commits:
        raise invalid_field("commit", commits, "absent where webhooks are meant")
    return _webhook_effect(body)


def _webhook_effect(body: Fields) -> WebhookEffect:
    body.forbid_unknown({"webhook", "delay"}, "An effect on webhooks")
    mode = body.choice("webhook", WebhookMode)
    if mode not in _FAULTY_MODES:
        raise invalid_field("effect.webhook", mode, "one of " + ", ".join(_FAULTY_MODES))
    delay = body.bounded_number("delay", FARTHEST // SECOND)
    if (mode is WebhookMode.DELAY) is not bool(delay):
        raise invalid_field(
            "effect.delay", delay, "seconds above 0 with delay, and absent with all else"
        )
    return WebhookEffect(mode=mode, delay=delay or 0)


def _request_effect(body: Fields, *, commits: bool) -> RequestEffect:
    names = {"status", "code", "retryAfter", "delay", "drop", "malformed", "commit"}
    body.forbid_unknown(names | {"webhook"}, "An effect")
    drop = body.text("drop")
    if drop not in {None, "before", "after"}:
        raise invalid_field("effect.drop", drop, "before or after")
    effect = RequestEffect(
        status=body.integer("status", 400, 599),
        code=body.text("code"),
        retry_after=body.integer("retryAfter", 0, _MAX_RETRY_AFTER),
        delay=body.bounded_number("delay", MAX_DELAY) or 0,
        drop=drop is not None,
        malformed=body.flag("malformed"),
        commit=commits or drop == "after",
    )
    _check_together(effect, contradicts=commits and drop == "before")
    return effect


def _check_together(effect: RequestEffect, *, contradicts: bool) -> None:
    answered = effect.status is not None
    rules = [
        (
            answered or effect.delay or effect.drop or effect.malformed,
            "Say what is to happen: status, delay, drop, malformed or webhook",
        ),
        (
            not (effect.drop and (answered or effect.malformed)) and not contradicts,
            "A dropped connection has no answer; with drop: before, nothing is done",
        ),
        (answered or effect.retry_after is None, "retryAfter goes with a status"),
        (
            effect.code is None
            or (effect.code in ERROR_CODES and ERROR_CODES[effect.code].status == effect.status),
            "code must be one that the API has with that status",
        ),
    ]
    for holds, sentence in rules:
        if not holds:
            raise InvalidRequest(sentence, field="effect", expected=sentence)
