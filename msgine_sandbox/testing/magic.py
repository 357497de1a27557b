"""Magic recipients: phone numbers, email addresses and device tokens that decide an outcome."""

from typing import Final

from msgine_sandbox.model import magic

DELIVERED: Final = "+256700000000"
"""Sent, then delivered, like an ordinary number."""
UNREACHABLE: Final = "+256700000001"
"""Sent, then failed."""
REFUSED: Final = "+256700000002"
"""Failed without being sent."""
STAYS_PENDING: Final = "+256700000003"
"""Stays pending."""
STAYS_SENT: Final = "+256700000004"
"""Sent; no delivery receipt ever comes."""
DELIVERED_AN_HOUR_LATER: Final = "+256700000005"
"""Sent, then delivered an hour later on the account's clock."""
WEBHOOKS_TWICE: Final = "+256700000006"
"""Every webhook is sent twice."""
WEBHOOKS_BACKWARDS: Final = "+256700000007"
"""The webhook of `delivered` comes before that of `sent`."""
WEBHOOKS_FORGED: Final = "+256700000008"
"""Webhooks have a wrong signature."""
WEBHOOKS_LOST: Final = "+256700000009"
"""Webhooks are not sent."""
ANSWER_LATE: Final = "+256700004080"
"""The message is accepted, but the response takes 35 s."""
ANSWER_LOST: Final = "+256700004990"
"""The message is accepted, but the connection is closed without a response."""

NAMES: Final = tuple(each.name for each in magic.ALL)
"""Names for `magic_address` and `magic_token`; `docs/magic-numbers.md` describes each."""


def answered(status: int, times: int = 0) -> str:
    """Return the number for which the first `times` sends are answered with a status; 0 means all.

    Raises:
        ValueError: there is no such number. `times` is 0 to 9 for 429, 500, 502 and 503, and 0 for
            400, 401 and 403.
    """
    if status in magic.COUNTED_STATUSES and 0 <= times <= magic.MAX_COUNT:
        return f"{magic.MAGIC_BLOCK}{status}{times}"
    if status in magic.FIXED_STATUSES and times == 0:
        return f"{magic.MAGIC_BLOCK}{status}0"
    transient, permanent = (
        ", ".join(map(str, each)) for each in (magic.COUNTED_STATUSES, magic.FIXED_STATUSES)
    )
    raise ValueError(
        f"No magic number is answered {status} with times={times}: {transient} take times from 0, "
        f"which means always, to {magic.MAX_COUNT}; {permanent} take only 0"
    )


def magic_address(name: str, label: str = "") -> str:
    """Return the email address of a name, such as `bounce+label@sandbox.msgine.test`.

    Raises:
        ValueError: there is no such name.
    """
    return f"{_local_part(name, label)}@{magic.DOMAIN}"


def magic_token(name: str, label: str = "") -> str:
    """Return the device token of a name, such as `sandbox-bounce+label`.

    Raises:
        ValueError: there is no such name.
    """
    return f"{magic.TOKEN_PREFIX}{_local_part(name, label)}"


def _local_part(name: str, label: str) -> str:
    if name not in NAMES:
        # Without the counted ones, which are many and alike.
        listed = ", ".join(each for each in NAMES if each.count("-") < 2)
        raise ValueError(f"There is no magic recipient named {name!r}; there are {listed}, …")
    return f"{name}+{label}" if label else name
