"""Reading bodies: at the door as bytes of bounded size, in handlers as JSON objects."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.drafts import MAX_RECIPIENTS
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.visit import UNREAD, Visit, visit_of
from msgine_sandbox.model.errors import (
    ApiError,
    InvalidRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from msgine_sandbox.model.target import TOPIC, USER

MAX_BODY = 1024 * 1024

_EXPECTED = "application/json, in UTF-8"
_decode = msgspec.json.decode


class Bodies:
    """Reads every body whole before anything is decided, and refuses one over a mebibyte."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        visit = visit_of(scope)
        body = await _read(visit, receive)
        if body is not None:  # else the client hung up in the middle of it
            visit.body = body
            await self._app(scope, receive, send)


class JsonOnly:
    """Refuses a body that is not sent as JSON, also where nobody would read it.

    A web page can send anything else to another site without asking that site first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        if visit.body and not _is_json(visit.header(b"content-type") or ""):
            raise UnsupportedMediaType(expected=_EXPECTED)
        await self._app(scope, receive, send)


def read_json(request: Request) -> Fields:
    """Give the body's JSON object.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8 (documented).
        InvalidRequest: it is no JSON object.
    """
    content = content_of(visit_of(request.scope))
    if not isinstance(content, dict):
        raise InvalidRequest(
            "The body must be a JSON object", field="body", value=content, expected="a JSON object"
        )
    return Fields(content)


def content_of(visit: Visit) -> Any:
    """Give the body's JSON, which is read once.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8 (documented).
        InvalidRequest: it is no JSON.
    """
    if visit.content is UNREAD:
        if not _is_json(visit.header(b"content-type") or ""):
            raise UnsupportedMediaType(expected=_EXPECTED)
        visit.content = _parsed(visit.body)
    return visit.content


def recipients_of(visit: Visit) -> list[str]:
    """Give the recipients that a body names, as far as it can be read; whoever refuses it does."""
    try:
        content = content_of(visit) if visit.body else None
    except ApiError:
        return []
    if not isinstance(content, dict):
        return []
    named = [
        each.strip()
        for field in ("to", "cc", "bcc")
        for value in _strings(content.get(field))
        for each in value.split(",")
    ]
    found = list(dict.fromkeys([*named, *_targets(content)]))
    # With more it is refused anyway, and nobody is meant by it.
    return found if len(found) <= MAX_RECIPIENTS else []


def _targets(content: Mapping[str, Any]) -> list[str]:
    """Give what a push goes to: a topic wins over users and tokens. Source: seen in SDKs."""
    topics = _strings(content.get("topic"))
    if topics:
        return [f"{TOPIC}{each}" for each in topics]
    users = [f"{USER}{each}" for each in _strings(content.get("userIds"))]
    return [*users, *_strings(content.get("tokens"))]


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip(' "')
    return media_type.strip() == "application/json" and charset in {"", "utf-8", "utf8"}


async def _read(visit: Visit, receive: Receive) -> bytes | None:
    announced = visit.asked.get(b"content-length", b"0")
    if announced.isdigit() and int(announced[:20]) > MAX_BODY:
        raise PayloadTooLarge(limit=MAX_BODY)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            raise PayloadTooLarge(limit=MAX_BODY)
        if not message.get("more_body", False):
            return body


def _parsed(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _parsed_slowly(body, error)


def _parsed_slowly(body: bytes, error: Exception) -> Any:
    """Let a second parser look, which takes lone surrogates: the field they are in can say so."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(
            "The body is not valid JSON", field="body", expected="JSON in UTF-8", reason=reason
        ) from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
