"""Addresses and device tokens that decide what becomes of a message, by name."""

from typing import Final

NAMES: Final = (
    "delivered",
    "bounce",
    "refused",
    "stuck",
    "unconfirmed",
    "slow",
    "webhooks-twice",
    "webhooks-backwards",
    "webhooks-forged",
    "webhooks-lost",
    "answered-400",
    "answered-401",
    "answered-403",
    "answer-late",
    "answer-lost",
    *(
        f"answered-{status}{times}"
        for status in (429, 500, 502, 503)
        for times in ("", *(f"-{count}" for count in range(1, 10)))
    ),
)
"""What can happen; `docs/magic-numbers.md` tells of each."""


def magic_address(name: str, label: str = "") -> str:
    """Give the email address of a name, as `bounce+label@sandbox.msgine.test`.

    Raises:
        ValueError: nothing has that name.
    """
    return f"{_checked(name, label)}@sandbox.msgine.test"


def magic_token(name: str, label: str = "") -> str:
    """Give the device token of a name, as `sandbox-bounce+label`.

    Raises:
        ValueError: nothing has that name.
    """
    return f"sandbox-{_checked(name, label)}"


def _checked(name: str, label: str) -> str:
    if name not in NAMES:
        raise ValueError(f"There is no {name!r}; there are {', '.join(NAMES[:15])}, …")
    return f"{name}+{label}" if label else name
