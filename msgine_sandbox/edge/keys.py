"""Where a request has its idempotency key: in a header, or in the body of the second generation."""

import re
from typing import Final

from starlette.types import Scope

from msgine_sandbox.domain.idempotency import HEADER
from msgine_sandbox.edge.body import content_of
from msgine_sandbox.edge.visit import Visit
from msgine_sandbox.model.errors import ApiError, InvalidRequest

FIELD: Final = "idempotencyKey"
SENDS: Final = ("/developers/sms", "/developers/email", "/developers/push")
"""The paths, below the base URL, whose bodies may have a key. Source: seen in SDKs."""
LONGEST: Final = 255
LONGEST_IN_BODY: Final = 64

_SHAPE: Final = re.compile(r"[\x21-\x7e]+")
_NAME: Final = HEADER.lower().encode()


def has_key(scope: Scope, visit: Visit) -> bool:
    """Tell whether a request carries anything in the place of a key."""
    return _NAME in visit.asked or _in_body(scope, visit) is not None


def key_of(scope: Scope, visit: Visit) -> str | None:
    """Give the key of a request, or None when it has none.

    Raises:
        InvalidRequest: there are two that differ, or one is not 1 to 255 printable ASCII characters
            without spaces, in the body 1 to 64.
    """
    if sum(name == _NAME for name, _ in scope["headers"]) > 1:
        raise InvalidRequest("Send one idempotency key", field=HEADER, expected="one header")
    header, field = visit.header(_NAME), _in_body(scope, visit)
    if header is not None:
        _check(header, HEADER, LONGEST)
    if field is None:
        return header
    key = _check(field, FIELD, LONGEST_IN_BODY)
    if header in {None, key}:
        return key
    raise InvalidRequest(
        "Send one idempotency key", field=FIELD, value=key, expected=f"the same as {HEADER}"
    )


def place_of(visit: Visit) -> str:
    """Name the place of a request's key."""
    return HEADER if _NAME in visit.asked else FIELD


def _check(key: object, field: str, longest: int) -> str:
    if isinstance(key, str) and len(key) <= longest and _SHAPE.fullmatch(key):
        return key
    expected = f"1 to {longest} printable ASCII characters without spaces"
    raise InvalidRequest(
        "The idempotency key is invalid", field=field, value=key, expected=expected
    )


def _in_body(scope: Scope, visit: Visit) -> object:
    if scope["method"] != "POST" or scope["path"].removeprefix(scope["root_path"]) not in SENDS:
        return None
    try:
        content = content_of(visit)
    except ApiError:
        return None  # whoever reads the body in earnest says what is wrong with it
    return content.get(FIELD) if isinstance(content, dict) else None
