"""Reading bodies: in the pipeline as bytes of bounded size, in handlers as JSON objects."""

import json
import re
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect

from msgine_sandbox.asgi.context import REFUSAL, UNREAD, RequestContext
from msgine_sandbox.model.errors import (
    InvalidRequest,
    MalformedRequest,
    PayloadTooLarge,
    TransferCodingUnknown,
    UnsupportedMediaType,
)

MAX_BODY: Final = 1024 * 1024
MAX_HEAD: Final = 64 * 1024
"""Bytes of a target, of a head in all, of trailers, and of a chunk's extensions."""
EXPECTED_TYPE: Final = "application/json, in UTF-8"

_VERSIONS: Final = frozenset({"1.0", "1.1", "2", "3"})
"""What an ASGI server says of a request (ASGI, "HTTP connection scope")."""
_UTF8: Final = frozenset({"", "utf-8", "utf8"})
_PARAMETER: Final = r';[ \t]*(?:([^;="\s]+)(?:=("(?:[^"\\]|\\.)*"|[^;"\s]+))?[ \t]*)?'
"""A parameter of a content type: its value may be quoted, and then contain a semicolon.

Around the equals sign no space is allowed (RFC 9110, 5.6.6): what is meant would be a guess.
"""
_decode = msgspec.json.decode


def check_framing(context: RequestContext) -> None:
    """Raise unless it is certain where the body ends (RFC 9112, 6.1), as HTTP/1 says.

    Otherwise another server on the way could see another request in the same bytes.

    Raises:
        TransferCodingUnknown: the body has a transfer coding other than `chunked`.
        MalformedRequest: it is chunked, and has a Content-Length or is HTTP/1.0; or the request is
            of a version that there is not, such as HTTP/1.2, or HTTP/2 in the form of HTTP/1.
    """
    version = context.scope.get("http_version", "1.1")  # some tests make their own scopes
    if version != "1.1" and version not in _VERSIONS:
        raise MalformedRequest(reason="Invalid HTTP version")
    if b"transfer-encoding" not in context.headers:
        return
    sent = [value for name, value in context.scope["headers"] if name == b"transfer-encoding"]
    codings = b",".join(sent).strip(b" \t").lower()
    if codings != b"chunked":
        raise TransferCodingUnknown(
            field="Transfer-Encoding", value=codings.decode("latin-1"), expected="chunked"
        )
    if b"content-length" in context.headers:
        raise MalformedRequest("Send Transfer-Encoding or Content-Length", field="Content-Length")
    if version == "1.0":
        raise MalformedRequest("HTTP/1.0 has no Transfer-Encoding", field="Transfer-Encoding")


async def read_body(context: RequestContext, most: int = MAX_BODY) -> None:
    """Read the whole body, which each of the later steps may need.

    Raises:
        PayloadTooLarge: it has more bytes than that.
        ApiError: the server's protocol cannot read on; the body is malformed, for example.
        ClientDisconnect: the client disconnected in the middle of it.
    """
    if context.method in {"GET", "HEAD"}:
        return  # a body has no meaning there (RFC 9110, 9.3.1)
    announced = context.headers.get(b"content-length", b"0").strip(b" \t")
    # Refused before the body is sent. Cut off, because `int` refuses to read thousands of digits.
    if announced.isdigit() and int(announced[:20]) > most:
        raise PayloadTooLarge(limit=most)
    body = b""
    while True:
        message = await context.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += bytes(message.get("body", b""))
        if len(body) > most:
            raise PayloadTooLarge(limit=most)
        if not message.get("more_body", False):
            context.body = body
            return
        if REFUSAL in context.scope:
            raise context.scope[REFUSAL]


def require_json(context: RequestContext) -> None:
    """Raise UnsupportedMediaType unless a body is sent as JSON, also for calls that ignore it.

    A web page can send a body of another type to another site without a CORS preflight.
    """
    if context.body and not _is_json(context.headers.get(b"content-type", b"")):
        raise UnsupportedMediaType(expected=EXPECTED_TYPE)


def json_object(context: RequestContext) -> dict[str, Any]:
    """Return the body's JSON object.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8 (documented).
        InvalidRequest: it is not a JSON object.
    """
    content = content_of(context)
    if not isinstance(content, dict):
        raise InvalidRequest(
            "The body must be a JSON object", field="body", value=content, expected="a JSON object"
        )
    return content


def content_of(context: RequestContext) -> Any:
    """Return the body's JSON, which is parsed once.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8 (documented).
        InvalidRequest: it is not JSON.
    """
    if context.content is UNREAD:
        if not _is_json(context.headers.get(b"content-type", b"")):
            raise UnsupportedMediaType(expected=EXPECTED_TYPE)
        try:
            context.content = _decode(context.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            context.content = _parsed_by_json(context.body, error)
    return context.content


def _is_json(sent: bytes) -> bool:
    if sent == b"application/json":
        return True  # as most clients write it, without parsing
    content_type = sent.decode("latin-1").strip(" \t").lower()
    media_type, semicolon, rest = content_type.partition(";")
    if media_type.strip() != "application/json":
        return False
    # Texts, because most clients send no parameter, and to compile them takes time from each start.
    if not re.fullmatch(f"(?:{_PARAMETER})*", semicolon + rest):
        return False
    parameters = re.findall(_PARAMETER, semicolon + rest)
    return {value.strip('"') for name, value in parameters if name == "charset"} <= _UTF8


def _parsed_by_json(body: bytes, error: Exception) -> Any:
    """Parse again with `json`, which accepts lone surrogates: the handler names their field."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(
            "The body is not valid JSON", field="body", expected="JSON in UTF-8", reason=reason
        ) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
