"""`msgine-sandbox diff`: whether another base URL answers as the sandbox does.

The documented reads and refusals cost nothing, so they are asked of both; what sends a message is
asked only when a number is named.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

import click

from msgine_sandbox.cli.remote import DEFAULT_TOKEN, NO_RESULT, RemoteSandbox, on_a_sandbox
from msgine_sandbox.model.characters import is_whole, printable
from msgine_sandbox.settings import BASE_PATH

_TIMEOUT: Final = 30.0  # seconds
_LONGEST_PAUSE: Final = 60  # seconds, which is the longest window of the rate limit
_RATE_LIMITED: Final = 429
_HEADERS: Final = (
    *("content-type", "www-authenticate", "allow", "retry-after", "idempotent-replayed"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
)
"""The documented headers: whether an answer has them is compared, and of the first their values."""
_VALUES_COMPARED: Final = ("content-type", "www-authenticate", "allow", "idempotent-replayed")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_TYPES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """A request that both are asked, below the base URL."""

    name: str
    method: str
    path: str
    body: Any = None
    """JSON, or bytes that are sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    has_token: bool = True


@dataclass(frozen=True, slots=True)
class DiffResponse:
    """Status, headers with names in lower case, and JSON; text where the body is none."""

    status: int
    headers: Mapping[str, str]
    content: Any


_VALID: Final = {"to": "+256701234567", "message": "Hello"}
_REVOKED: Final = "Bearer test_revoked_diff"  # which both must refuse

# Reads and refusals of the REST API page; each is also one of the project's recorded exchanges.
_FREE: Final = (
    DiffRequest("the first page of the list", "GET", "/messages?limit=1"),
    DiffRequest("a page number of the list", "GET", "/messages?page=2&limit=50"),
    DiffRequest("a message that does not exist", "GET", "/messages/msg_1234567890"),
    DiffRequest("an unknown path", "GET", "/message"),
    DiffRequest("no credential", "POST", "/messages/sms", _VALID, has_token=False),
    DiffRequest(
        *("a revoked token", "POST", "/messages/sms", _VALID),
        headers={"Authorization": _REVOKED},
        has_token=False,
    ),
    DiffRequest(
        *("a number without a plus sign", "POST", "/messages/sms"), {**_VALID, "to": "0701234567"}
    ),
    DiffRequest(
        "one bad number of two", "POST", "/messages/sms", {**_VALID, "to": ["+256701234567", "1"]}
    ),
    DiffRequest("an empty message", "POST", "/messages/sms", {**_VALID, "message": ""}),
    DiffRequest("a message too long", "POST", "/messages/sms", {**_VALID, "message": "a" * 1601}),
    DiffRequest("no message", "POST", "/messages/sms", {"to": _VALID["to"]}),
    DiffRequest("no recipient", "POST", "/messages/sms", {"message": "Hello"}),
    DiffRequest(
        "a sender ID too long", "POST", "/messages/sms", {**_VALID, "from": "ABCDEFGHIJKL"}
    ),
    DiffRequest("a sender ID with a sign", "POST", "/messages/sms", {**_VALID, "from": "My-Shop"}),
    DiffRequest("malformed JSON", "POST", "/messages/sms", b"{"),
    DiffRequest(
        *("a body that is no JSON", "POST", "/messages/sms", b"to=1"),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    DiffRequest("a method that is not allowed", "DELETE", "/messages/sms"),
)


def _paid(number: str, key: str) -> tuple[DiffRequest, ...]:
    body, headers = {"to": number, "message": "msgine-sandbox diff"}, {"Idempotency-Key": key}
    return (
        DiffRequest("a message", "POST", "/messages/sms", body, headers),
        DiffRequest("the same idempotency key", "POST", "/messages/sms", body, headers),
    )


@click.command()
@on_a_sandbox
@click.argument("base_url", metavar="URL")
@click.option(
    "--send-to", metavar="NUMBER", help="Also send messages to this number, which may cost money."
)
def diff(sandbox: RemoteSandbox, base_url: str, send_to: str | None) -> int:
    """Ask the sandbox and the API at a base URL the same, and print where their answers differ.

    The token is sent to both. Asked are the documented reads and refusals, which cost nothing. With
    a difference the status is 1.
    """
    token = sandbox.token or DEFAULT_TOKEN
    ours, theirs = [*_FREE], [*_FREE]
    if send_to is not None:
        if not _NUMBER.fullmatch(send_to):
            raise click.UsageError(f"--send-to {send_to!r} is no number such as +256701234567.")
        # A key for each, because both may lead to the same account.
        key = f"diff-{secrets.token_hex(8)}"
        ours += _paid(send_to, f"{key}-1")
        theirs += _paid(send_to, f"{key}-2")
    differing = 0
    for one, other in zip(ours, theirs, strict=True):
        our_response = _ask(sandbox.client.origin + BASE_PATH, one, token)
        their_response = _ask(base_url.rstrip("/"), other, token)
        found = list(_differences(our_response, their_response))
        differing += bool(found)
        click.echo(f"{'differs' if found else 'same   '}  {their_response.status}  {one.name}")
        for line in found:
            click.echo(printable(f"         {line}"))
    click.echo(f"{differing} of {len(ours)} answers differ")
    return NO_RESULT if differing else 0


def _ask(base_url: str, request: DiffRequest, token: str) -> DiffResponse:
    """Return the answer; one that is rate-limited is asked again after its `Retry-After`."""
    answer = _send(base_url, request, token)
    if answer.status == _RATE_LIMITED:
        asked = answer.headers.get("retry-after", "1")
        # It may be a date instead, or anything: this is another server's.
        pause = min(int(asked), _LONGEST_PAUSE) if is_whole(asked) else _LONGEST_PAUSE
        click.echo(f"Waiting {pause} s for the rate limit of {base_url}.", err=True)
        time.sleep(pause)
        answer = _send(base_url, request, token)
    return answer


def _send(base_url: str, request: DiffRequest, token: str) -> DiffResponse:
    connection, root = _connection(base_url)
    headers = {"Authorization": f"Bearer {token}"} if request.has_token else {}
    body = request.body
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = body if isinstance(body, bytes) else json.dumps(body)
    try:
        connection.request(
            request.method, root + request.path, body, {**headers, **request.headers}
        )
        response = connection.getresponse()
        text = response.read()
    except (OSError, ValueError, HTTPException) as error:
        raise click.ClickException(f"No answer from {base_url}: {error}") from error
    finally:
        connection.close()
    received = {name.lower(): value for name, value in response.getheaders()}
    return DiffResponse(response.status, received, _json(text))


def _connection(base_url: str) -> tuple[HTTPConnection, str]:
    """Return a connection to the server of a base URL, and the path of the URL."""
    with suppress(ValueError):  # what looks like an address or a port is none
        url = urlsplit(base_url)
        if url.scheme in {"http", "https"} and url.hostname:
            kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
            return kind(url.hostname, url.port, timeout=_TIMEOUT), url.path
    raise click.UsageError(f"{base_url!r} is not an http or https URL.")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")


def _differences(ours: DiffResponse, theirs: DiffResponse) -> Iterator[str]:
    if ours.status != theirs.status:
        yield f"status {theirs.status}, in the sandbox {ours.status}"
    for name in _HEADERS:
        one, other = ours.headers.get(name), theirs.headers.get(name)
        if (one is None) != (other is None) or (name in _VALUES_COMPARED and one != other):
            yield f"{name}: {_shown(other)}, in the sandbox {_shown(one)}"
    yield from _compare(ours.content, theirs.content, "body", exact=False)


def _compare(ours: Any, theirs: Any, at: str, *, exact: bool) -> Iterator[str]:
    """Return where two JSON values differ: members and types, and below `error` every value.

    Of an array only the first elements are compared: those of two accounts differ in number.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        yield from _compare_members(ours, theirs, at, exact=exact)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for one, other in list(zip(ours, theirs, strict=False))[:1]:
            yield from _compare(one, other, f"{at}[0]", exact=exact)
    elif exact and ours != theirs:
        yield f"{at} is {theirs!r}, in the sandbox {ours!r}"
    elif _type(ours) != _type(theirs):
        yield f"{at} is {_type(theirs)}, in the sandbox {_type(ours)}"


def _compare_members(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], at: str, *, exact: bool
) -> Iterator[str]:
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            yield f"{at}.{name} is only in the sandbox's answer"
        elif name not in ours:
            yield f"{at}.{name} is not in the sandbox's answer"
        else:
            within = exact or name == "error"
            yield from _compare(ours[name], theirs[name], f"{at}.{name}", exact=within)


def _type(value: Any) -> str:
    return _TYPES.get(type(value), "number")


def _shown(header: str | None) -> str:
    return "absent" if header is None else repr(header)
