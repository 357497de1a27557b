"""Reading which fault is asked for: all of it makes sense, or it is refused."""

import re
from typing import Final

from msgine_sandbox.domain.clocks import FARTHEST
from msgine_sandbox.domain.faults import Wish
from msgine_sandbox.edge.fields import Fields, wrong
from msgine_sandbox.model.clock import SECOND
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.fault import Effect, Match, RequestEffect, WebhookEffect
from msgine_sandbox.model.injected import CODES
from msgine_sandbox.model.webhook import Event, Telling

LONGEST_DELAY: Final = 600  # seconds of real time
_LONGEST_WAIT: Final = 24 * 3600  # seconds that an answer may ask to wait
_OFTEN: Final = 1_000_000
_SEED: Final = 2**63 - 1
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_BASE_PATH: Final = "/api/v1"
_LIKE_A_NUMBER: Final = re.compile(r"[+0-9 ().-]*\*?")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}|\+?[0-9]{0,14}\*")
_TWISTS: Final = [each for each in Telling if each is not Telling.PLAIN]


def wish_of(body: Fields) -> Wish:
    """Read a fault.

    Raises:
        InvalidRequest: a field is unknown or has a wrong value, or two do not go together.
    """
    body.only({"match", "effect", "times", "probability", "seed", "commit"}, "A fault")
    body.required("effect", "an object with what is to happen")
    effect = _effect(body.object("effect") or Fields({}), commits=body.flag("commit"))
    match = body.object("match") or Fields({})
    probability = body.amount("probability", 1)
    return Wish(
        match=_match(match) if isinstance(effect, RequestEffect) else _tale(match, effect),
        effect=effect,
        times=body.integer("times", 1, _OFTEN),
        probability=1.0 if probability is None else float(probability),
        seed=body.integer("seed", -_SEED, _SEED) or 0,
    )


def _match(body: Fields) -> Match:
    body.only({"method", "path", "to"}, "The match of a fault of requests")
    method, path = body.text("method"), body.text("path")
    if method is not None and method.upper() not in _METHODS:
        raise wrong("match.method", method, "one of " + ", ".join(_METHODS))
    if path is not None and not path.startswith("/"):
        raise wrong("match.path", path, "a path from the base URL on, such as /messages/sms")
    return Match(
        method=method and method.upper(),
        path=path and (path.removeprefix(_BASE_PATH) or "/"),
        to=_to(body),
    )


def _tale(body: Fields, effect: WebhookEffect) -> Match:
    body.only({"event", "to"}, "The match of a fault of webhooks")
    event = body.choice("event", Event)
    if effect.telling is Telling.BACKWARDS:
        if event not in {None, Event.SENT}:
            raise wrong("match.event", event, f"{Event.SENT}, which is held back until the end")
        event = Event.SENT
    return Match(event=event, to=_to(body))


def _to(body: Fields) -> str | None:
    to = body.text("to")
    if to is None or _NUMBER.fullmatch(to):
        return to
    if not _LIKE_A_NUMBER.fullmatch(to) and to.isprintable() and " " not in to:
        return to  # an address, or what a push goes to
    raise wrong(
        "match.to", to, "a number in E.164, an address or a push's target, * for any part of it"
    )


def _effect(body: Fields, *, commits: bool) -> Effect:
    """Read an effect; `commit` may stand in it or beside it."""
    if body.get("webhook") is None:
        return _request_effect(body, commits=commits or body.flag("commit"))
    if commits:
        raise wrong("commit", commits, "absent where webhooks are meant")
    return _webhook_effect(body)


def _webhook_effect(body: Fields) -> WebhookEffect:
    body.only({"webhook", "delay"}, "An effect on webhooks")
    telling = body.choice("webhook", Telling)
    if telling not in _TWISTS:
        raise wrong("effect.webhook", telling, "one of " + ", ".join(_TWISTS))
    delay = body.amount("delay", FARTHEST // SECOND)
    if (telling is Telling.LATE) is not bool(delay):
        raise wrong("effect.delay", delay, "seconds above 0 with delay, and absent with all else")
    return WebhookEffect(telling=telling, delay=delay or 0)


def _request_effect(body: Fields, *, commits: bool) -> RequestEffect:
    names = {"status", "code", "retryAfter", "delay", "drop", "malformed", "commit"}
    body.only(names | {"webhook"}, "An effect")
    drop = body.text("drop")
    if drop not in {None, "before", "after"}:
        raise wrong("effect.drop", drop, "before or after")
    effect = RequestEffect(
        status=body.integer("status", 400, 599),
        code=body.text("code"),
        retry_after=body.integer("retryAfter", 0, _LONGEST_WAIT),
        delay=body.amount("delay", LONGEST_DELAY) or 0,
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
            or (effect.code in CODES and CODES[effect.code].status == effect.status),
            "code must be one that the API has with that status",
        ),
    ]
    for holds, sentence in rules:
        if not holds:
            raise InvalidRequest(sentence, field="effect", expected=sentence)
