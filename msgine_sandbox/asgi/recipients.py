"""The recipients that a request has: faults and magic recipients match them, lists show them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.model.fault import FaultTarget
from msgine_sandbox.model.recipients import TOPIC, USER
from msgine_sandbox.services.drafts import MAX_RECIPIENTS

_WHOLE: Final[Mapping[str, tuple[str, ...]]] = {"/messages/sms": ("to",)}
"""The fields with recipients, by path, where a string is one recipient."""
_SPLIT: Final[Mapping[str, tuple[str, ...]]] = {
    f"/developers/{Channel.SMS}": ("to",),
    f"/developers/{Channel.EMAIL}": ("to", "cc", "bcc"),
}
"""The same where a string is split at its commas. Source: seen in SDKs."""
_PUSH: Final = f"/developers/{Channel.PUSH}"


def target_of(context: RequestContext) -> FaultTarget:
    """Return what faults compare their match with."""
    recipients = recipients_of(context)
    return FaultTarget(method=context.method, path=context.path, recipients=recipients)


def recipients_of(context: RequestContext) -> Mapping[str, str]:
    """Return the recipients that a request would send to, each with the field that names it.

    It does not raise: of a body that the handler will refuse, they are those that can be found.
    """
    if context.method != "POST":
        return {}
    try:
        content = content_of(context) if context.body else None
    except ApiError:
        return {}
    if not isinstance(content, dict):
        return {}
    found = recipients_in(context.path, content)
    # The handler refuses a request with more; without this, each magic one would become a fault.
    return found if len(found) <= MAX_RECIPIENTS else {}


def recipients_in(path: str, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the recipients in a body that is sent to a path, each with the field that names it."""
    found: dict[str, str] = {}
    for field, recipient in _named(path, content):
        found.setdefault(recipient, field)
    return found


def _named(path: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield fields and recipients as the handler of a path reads them."""
    for field in _WHOLE.get(path, ()):
        for text in _strings(content.get(field)):
            yield field, text
    for field in _SPLIT.get(path, ()):
        value = content.get(field)
        for text in value.split(",") if isinstance(value, str) else _strings(value):
            yield field, text.strip()
    if path == _PUSH:
        yield from _push_targets(content)


def _push_targets(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a push goes to; with a topic, users and tokens are ignored, as in the SDKs."""
    topic = content.get("topic")
    if topic is not None:
        if isinstance(topic, str):
            yield "topic", f"{TOPIC}{topic}"
        return
    for user in _strings(content.get("userIds")):
        yield "userIds", f"{USER}{user}"
    for token in _strings(content.get("tokens")):
        yield "tokens", token


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
