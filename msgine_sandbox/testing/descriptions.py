"""What failed waits and reports of tests say about messages, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgine_sandbox.model.characters import printable
from msgine_sandbox.testing.errors import SandboxError

MAX_LISTED: Final = 10
"""Messages that an error lists."""
_MAX_RECIPIENTS: Final = 3
_MAX_RECIPIENT_LENGTH: Final = 40
_MAX_TEXT_LENGTH: Final = 100


def describe_message(raw: Mapping[str, Any]) -> str:
    """Return one line about a message of the control API: status, recipients, title and text."""
    to = ", ".join(_truncated(each, _MAX_RECIPIENT_LENGTH) for each in raw["to"][:_MAX_RECIPIENTS])
    to += ", …" if len(raw["to"]) > _MAX_RECIPIENTS else ""
    title = raw.get("subject", raw.get("title"))
    text = repr(raw["message"]) if title is None else f"{title!r} {raw['message']!r}"
    return printable(f"{raw['status']:<9} to {to}: {_truncated(text, _MAX_TEXT_LENGTH)}")


def describe_timeout(error: SandboxError, wanted: Mapping[str, str | None], timeout: float) -> str:
    """Say what did not arrive, what did, and whether the clock's freeze may be the reason."""
    filters = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
    message = f"No message with {filters}" if filters else "No message"
    reason = error.details.get("reason")
    head = f"{message} arrived within {timeout:g} s." if reason is None else f"{message}: {reason}."
    frozen = " The clock is frozen: advance it." if "frozen" in error.message else ""
    arrived = error.details.get("arrived", [])
    described = describe_messages(arrived, len(arrived), error.details.get("nearest", []))
    if not arrived:
        return f"{head} {described}{frozen}"
    return f"{head}{frozen} {described}"


def describe_messages(
    newest: Sequence[Mapping[str, Any]], total: int, nearest: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return a line for each of the account's newest messages, and say how many more there are.

    Under those that come nearest to what was wanted, a line says what differs.
    """
    if not newest:
        return "The account has no messages."
    differs = {near["id"]: near["differs"] for near in nearest}
    lines = []
    for raw in newest[:MAX_LISTED]:
        lines.append(f"  {describe_message(raw)}")
        if differs.get(raw["id"]):
            lines.append(f"    {'; '.join(map(_describe_difference, differs[raw['id']]))}")
    if total > MAX_LISTED:
        lines.append(f"  and {total - MAX_LISTED} more")
    return "\n".join(["The account's messages, newest first:", *lines])


def _describe_difference(difference: Mapping[str, Any]) -> str:
    """Say in words which filter a message does not fit."""
    name, expected, actual = (difference[each] for each in ("field", "expected", "actual"))
    if name in {"contains", "q"}:
        said = f"{expected!r} is not in it"
    elif name == "matches":
        said = f"{expected!r} does not match"
    elif isinstance(actual, list):
        said = f"{name} is {', '.join(actual[:_MAX_RECIPIENTS])}, not {expected}"
    else:
        said = f"{name} is {actual}, not {expected}"
    return printable(said)


def _truncated(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
