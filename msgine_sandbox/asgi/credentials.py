"""What a request carries in its headers or body: credential, idempotency key, trace context."""

import re
from functools import lru_cache
from typing import Final

from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import CredentialScheme, RequestContext
from msgine_sandbox.model import warning
from msgine_sandbox.model.errors import ApiError, InvalidRequest, Unauthorized
from msgine_sandbox.model.idempotency import (
    FIELD,
    HEADER,
    SENDS_WITH_FIELD,
    checked_field,
    checked_header,
)
from msgine_sandbox.settings import is_token

_BEARER: Final = re.compile(rb"[ \t]*bearer +(?P<token>[\x21-\x7e]+)[ \t]*", re.IGNORECASE)
# Every request needs it, and Python 3.11 is slow to find the members of an enum.
_BY_BEARER: Final = CredentialScheme.BEARER
# A text, because few starts need it, and to compile it takes time from each.
_TRACEPARENT: Final = (
    rb"(?P<version>(?!ff)[0-9a-f]{2})-(?P<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})"
    rb"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
TRACE_HEADER: Final = b"traceparent"
KEY_HEADER: Final = HEADER.lower().encode()


def credential(context: RequestContext, *, strict: bool) -> str | None:
    """Return the token that a request carries, or None; set the entry's `scheme`.

    `Authorization: Bearer TOKEN` and `X-Api-Key: TOKEN` are documented; the bare
    `Authorization: TOKEN` is what SDK 1.0 sends, warned of, and refused when strict.

    Raises:
        Unauthorized: a header is there that cannot be parsed.
    """
    sent = context.headers.get(b"authorization")
    if sent is not None:
        bearer = _bearer_token(sent)
        if bearer is not None:
            context.entry.scheme = _BY_BEARER
            return bearer
        authorization = sent.decode("latin-1").strip(" \t")
        # The word alone is no token.
        if strict or not is_token(authorization) or authorization.lower() == "bearer":
            raise Unauthorized
        context.entry.scheme = CredentialScheme.BARE
        context.entry.warnings.append(warning.bearer_missing())
        return authorization
    key = context.header(b"x-api-key")
    if key is None:
        return None
    if not is_token(key):
        raise Unauthorized
    context.entry.scheme = CredentialScheme.API_KEY
    return key


@lru_cache(64)  # few, because a header may have 64 KiB
def _bearer_token(authorization: bytes) -> str | None:
    """Return the token of the scheme `Bearer`, or None: most clients send the same one always."""
    bearer = _BEARER.fullmatch(authorization)
    return None if bearer is None else bearer["token"].decode()


def traceparent(context: RequestContext) -> str | None:
    """Return the trace context of a request, or None if it has none that is valid.

    One of a later version is read as far as this one knows it, and becomes one of this version.
    Source: W3C Trace Context, 3.2 and 4.3.
    """
    sent = context.headers.get(TRACE_HEADER)
    match = None if sent is None else re.fullmatch(_TRACEPARENT, sent.strip(b" \t"))
    if match is None or context.repeats(TRACE_HEADER):
        return None
    ids, flags = match["ids"].decode(), match["flags"].decode()
    if match["version"] == b"00":
        return None if match["more"] else f"00-{ids}-{flags}"
    return f"00-{ids}-{int(flags, 16) & 1:02x}"


def has_idempotency_key(context: RequestContext) -> bool:
    """Return whether a request has an idempotency key, valid or not."""
    return KEY_HEADER in context.headers or _key_in_body(context) is not None


def idempotency_key(context: RequestContext) -> str | None:
    """Return the key of a request, or None when it has none.

    Raises:
        InvalidRequest: there are two that differ, or one is not 1 to 255 printable ASCII characters
            without spaces, or in the body 1 to 64 characters of one line.
    """
    # Without a call where there is none, as in most requests.
    header = context.header(KEY_HEADER) if KEY_HEADER in context.headers else None
    field = _key_in_body(context)
    if header is not None:
        if context.repeats(KEY_HEADER):
            raise InvalidRequest("Send one idempotency key", field=HEADER, expected="one header")
        checked_header(header)
    if field is None:
        return header
    key = checked_field(field)
    if header in {None, key}:
        return key
    raise InvalidRequest(
        "Send one idempotency key", field=FIELD, value=key, expected=f"the same as {HEADER}"
    )


def idempotency_field(context: RequestContext) -> str:
    """Return the name of the header or body field that carries a request's key.

    Where it has none, it is the field if the call has one, as the official SDKs send it.
    """
    may_be_field = context.method == "POST" and context.path in SENDS_WITH_FIELD
    return FIELD if may_be_field and KEY_HEADER not in context.headers else HEADER


def _key_in_body(context: RequestContext) -> object:
    if context.method != "POST" or context.path not in SENDS_WITH_FIELD:
        return None
    try:
        content = content_of(context)
    except ApiError:
        return None  # the handler refuses the body, and says what is wrong with it
    return content.get(FIELD) if isinstance(content, dict) else None
