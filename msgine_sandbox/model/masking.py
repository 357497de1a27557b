"""What is secret in a request or response, and how it is shown: in journal, log, page and reports.

The Python client uses it, too, so it imports nothing but the standard library.
"""

import re
from functools import cache
from typing import Final
from urllib.parse import unquote_plus

HIDDEN: Final = "…"
FOR_TESTS: Final = "test_"
"""How tokens begin that are made up for the sandbox, and no secrets."""
_LONGEST: Final = 100  # characters of a token that are shown

_NOT_SECRET: Final = frozenset({"webhook-signature"})  # it reveals nothing
_SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate", "token", "apikey"})
_ATTRIBUTES: Final = frozenset({"domain", "expires", "max-age", "path", "samesite"})
_FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})


def masked(token: str) -> str:
    """Return a token as logs and answers may show it: `sk_li…3f9a`; one for tests as it is."""
    if token.startswith(FOR_TESTS) and len(token) <= _LONGEST:
        return token
    if len(token) < 12:  # of a short token, more would be most of it
        return f"{token[: len(token) // 4]}{HIDDEN}"
    return f"{token[:5]}{HIDDEN}{token[-4:]}"


def is_secret(name: str) -> bool:
    """Return whether a header or parameter of this name has a secret value."""
    name = name.lower()
    if name in _NOT_SECRET:
        return False
    words = re.sub(r"[-_.\[\]]+", " ", name)
    return any(map(_parts().search, (words, words.replace(" ", ""))))


@cache
def _parts() -> re.Pattern[str]:
    """Return what the names of headers and parameters contain whose values are secret."""
    # Compiled when it is first used, because every session of pytest imports this module.
    return re.compile(
        r"auth(?:orization)?\b|(?:api|access|private|subscription)key|bearer|cookie|credential|csrf|"
        r"jwt|pass(?:word|wd|phrase|code)|^key$|\b(?:pass|pwd|sid|sig)\b|secret|session|signature|"
        r"token|xsrf"
    )


def masked_header(name: str, value: str) -> str:
    """Return the value of a header, given by its lower-case name, with what is secret masked."""
    if name in {"authorization", "x-api-key"}:
        return _masked_credential(value.strip(" \t"))
    if name == "cookie":
        return "; ".join(map(_masked_pair, value.split(";")))
    if name == "set-cookie":
        cookie, *attributes = value.split(";")
        return "; ".join([_masked_pair(cookie), *map(_masked_attribute, attributes)])
    return HIDDEN if is_secret(name) else value


def masked_query(query: str) -> str:
    """Return a query with the values of secret parameters masked."""
    return "&".join(
        f"{name}={HIDDEN}" if value and is_secret(unquote_plus(name)) else each
        for each in query.split("&")
        for name, _, value in [each.partition("=")]
    )


def _masked_credential(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    if not rest:
        return masked(value)
    if scheme.lower() not in _SCHEMES:
        return HIDDEN
    token = rest.strip(" ")
    # The ends of other credentials, such as a user and password in Base64, would reveal much.
    is_token = scheme.lower() == "bearer" and " " not in token
    return f"{scheme} {masked(token) if is_token else HIDDEN}"


def _masked_pair(pair: str) -> str:
    name, is_pair, _ = pair.strip().partition("=")
    return f"{name}={HIDDEN}" if is_pair else HIDDEN


def _masked_attribute(attribute: str) -> str:
    name = attribute.partition("=")[0].strip().lower()
    is_known = name in (_ATTRIBUTES if "=" in attribute else _FLAGS)
    return attribute.strip() if is_known else _masked_pair(attribute)
