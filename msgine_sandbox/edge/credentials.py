"""Reading the credential: three spellings of one token."""

import re

from msgine_sandbox.edge.visit import Spelling, Visit
from msgine_sandbox.model.errors import Unauthorized

_BEARER = re.compile(r"bearer +(?P<token>[\x21-\x7e]+)", re.IGNORECASE)
_BARE = re.compile(r"[\x21-\x7e]+")


def credential(visit: Visit, *, strict: bool) -> str | None:
    """Give the token that a request carries, or None when it carries none; note how it is written.

    `Authorization: Bearer TOKEN` and `X-Api-Key: TOKEN` are documented; the bare
    `Authorization: TOKEN` is what SDK 1.0 sends, and refused when strict.

    Raises:
        Unauthorized: the header is there and cannot be read.
    """
    authorization = visit.header(b"authorization")
    if authorization is not None:
        visit.spelling, token = _read(authorization.strip(), strict=strict)
        return token
    key = visit.header(b"x-api-key")
    if key is None:
        return None
    if not _BARE.fullmatch(key.strip()):
        raise Unauthorized
    visit.spelling = Spelling.API_KEY
    return key.strip()


def _read(authorization: str, *, strict: bool) -> tuple[Spelling, str]:
    bearer = _BEARER.fullmatch(authorization)
    if bearer:
        return Spelling.BEARER, bearer["token"]
    # The 1.0 SDK sends the bare token, without "Bearer".
    if not strict and _BARE.fullmatch(authorization) and authorization.lower() != "bearer":
        return Spelling.BARE, authorization
    raise Unauthorized
