"""`msgine-sandbox tail`: what happens in a sandbox, a line for each event."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from msgine_sandbox.cli.remote import RemoteSandbox, on_a_sandbox
from msgine_sandbox.model.characters import printable
from msgine_sandbox.testing.descriptions import describe_message

Event = tuple[str, Mapping[str, Any]]
"""The kind of an event, and its JSON."""

_ERROR: Final = 400


@click.command()
@on_a_sandbox
@click.option(
    "--kind",
    multiple=True,
    type=click.Choice(["message", "status", "request", "webhook", "warning"]),
    help="Only events of this kind; may be repeated.",
)
@click.option(
    "--contains", metavar="TEXT", help="Only events with this text, such as a recipient or an id."
)
def tail(sandbox: RemoteSandbox, kind: Sequence[str], contains: str | None) -> int:
    """Print what happens, as it happens, until Ctrl-C."""
    try:
        for name, content in _events(sandbox):
            if kind and name not in kind:
                continue
            if contains is None or any(contains in text for text in _texts(content)):
                click.echo(printable(_line(name, content)))
    except KeyboardInterrupt:  # the ordinary end
        pass
    return 0


def _events(sandbox: RemoteSandbox) -> Iterator[Event]:
    """Return events without end; a connection that ends is followed by another.

    The sandbox ends one whose reader is too slow, such as a terminal that is paused.
    """
    last = ""
    while True:
        asked = {"Last-Event-ID": last} if last else {}
        with sandbox.client.stream("/events", sandbox.token, asked) as lines:
            for _ in lines:  # the first one is sent once the sandbox collects events for us
                if not last:
                    click.echo(f"Connected to {sandbox.client.origin}", err=True)
                break
            for event_id, name, content in _parsed(lines):
                last = event_id or last
                yield name, content


def _parsed(lines: Iterator[bytes]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Return id, kind and JSON of each server-sent event; comments have none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name:
            fields[name] = value
            continue
        if "data" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
        fields.clear()


def _texts(value: Any) -> Iterator[str]:
    """Return every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)


def _line(name: str, content: Mapping[str, Any]) -> str:
    at = content.get("at") or content.get("createdAt") or ""
    time = at[11:23].rstrip("Z")
    describe = _DESCRIBE.get(name)
    text = "" if describe is None else describe(content)
    return f"{time:<12}  {name:<7}  {text}  {content.get('account') or ''}".rstrip()


def _message(content: Mapping[str, Any]) -> str:
    return f"{content['id']}  {content['channel']} {describe_message(content)}"


def _status(content: Mapping[str, Any]) -> str:
    # Null once the message is deleted, which may be before the event is read.
    to = "" if content["to"] is None else f" to {content['to']}"
    reason = "" if content["reason"] is None else f"  {content['reason']}"
    return f"{content['messageId']}  {content['status']:<9}{to}{reason}"


def _request(content: Mapping[str, Any]) -> str:
    parts = [f"{content['method']} {content['path']}", str(content["status"] or "---")]
    if (content["status"] or 0) >= _ERROR:
        parts += _error(content["response"])
    parts += [content["messageId"]] if content["messageId"] else []
    parts += [each["code"] for each in content["warnings"]]
    return "  ".join(parts)


def _error(response: Mapping[str, Any]) -> list[str]:
    """Return code and text of the error in a response, if it has the envelope."""
    try:
        error = json.loads(response["body"])["error"]
        field = error.get("details", {}).get("field")
        return [f"{error['code']}: {error['message']}" + (f" ({field})" if field else "")]
    except (LookupError, TypeError, ValueError, AttributeError):
        return []


def _webhook(content: Mapping[str, Any]) -> str:
    result = content["error"] or content["status"]
    what = f"{content['event']} attempt {content['attempt']}"
    return f"{content['messageId']}  {what}  {content['url']}  {result}"


def _warning(content: Mapping[str, Any]) -> str:
    # The newest one: an event has all warnings of the request.
    newest = content["warnings"][-1]
    return f"{content['requestId']}  {newest['code']}: {newest['message']}"


def _changed(content: Mapping[str, Any]) -> str:
    return str(content["what"])


def _deleted(content: Mapping[str, Any]) -> str:
    return ", ".join(content["messageIds"])


_DESCRIBE: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "message": _message,
    "status": _status,
    "request": _request,
    "webhook": _webhook,
    "warning": _warning,
    "changed": _changed,
    "deleted": _deleted,
}
"""What a line says about an event; others have no more than their name."""
