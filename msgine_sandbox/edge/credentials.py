"""Reading the credential: three spellings of one token."""

import re

from msgine_sandbox.edge.visit import Visit
from msgine_sandbox.model.errors import Unauthorized

_BEARER = re.compile(r"bearer +(?P<token>[\x21-\x7e]+)", re.IGNORECASE)
_BARE = re.compile(r"[\x21-\x7e]+")


def credential(visit: Visit, *, strict: bool) -> str | None:
    """Give the token that a request carries, or None when it carries none.

    `Authorization: Bearer TOKEN` and `X-Api-Key: TOKEN` are documented; the bare
    `Authorization: TOKEN` is what SDK 1.0 sends, and refused when strict.

    Raises:
        Unauthorized: the header is there and cannot be read.
    """
    authorization = visit.header(b"authorization")
    if authorization is not None:
        return _token(authorization.strip(), strict=strict)
    key = visit.header(b"x-api-key")
    if key is None or _BARE.fullmatch(key.strip()):
        return None if key is None else key.strip()
    raise Unauthorized


def _token(authorization: str, *, strict: bool) -> str:
    bearer = _BEARER.fullmatch(authorization)
    if bearer:
        return bearer["token"]
    # The 1.0 SDK sends the bare token, without "Bearer".
    if not strict and _BARE.fullmatch(authorization) and authorization.lower() != "bearer":
        return authorization
    raise Unauthorized
