"""Recipients that decide what becomes of a message, by name."""

from typing import Final

DELIVERED: Final = "+256700000000"
"""Sent, then delivered, as any ordinary number."""
UNREACHABLE: Final = "+256700000001"
"""Sent, then failed."""
REFUSED: Final = "+256700000002"
"""Failed without being sent."""
STAYS_PENDING: Final = "+256700000003"
"""Pending for ever."""
STAYS_SENT: Final = "+256700000004"
"""Sent, and no receipt ever comes."""
DELIVERED_AN_HOUR_LATER: Final = "+256700000005"
"""Sent, then delivered after an hour of the account's clock."""
WEBHOOKS_TWICE: Final = "+256700000006"
"""Every webhook comes twice."""
WEBHOOKS_BACKWARDS: Final = "+256700000007"
"""The webhook of `delivered` comes before that of `sent`."""
WEBHOOKS_FORGED: Final = "+256700000008"
"""Webhooks have a wrong signature."""
WEBHOOKS_LOST: Final = "+256700000009"
"""Webhooks never come."""
ANSWER_LATE: Final = "+256700004080"
"""The message is accepted, but its answer takes 35 s."""
ANSWER_LOST: Final = "+256700004990"
"""The message is accepted, but the connection is closed without an answer."""

_PASSING: Final = (429, 500, 502, 503)
_LASTING: Final = (400, 401, 403)
_MOST_TIMES: Final = 9


def answered(status: int, times: int = 0) -> str:
    """Give the number whose sends are answered with a status: the first so many, or with 0 all.

    Raises:
        ValueError: there is no such number. 429, 500, 502 and 503 go 0 to 9 times, 400, 401 and
            403 only every time.
    """
    if status in _PASSING and 0 <= times <= _MOST_TIMES:
        return f"+25670000{status}{times}"
    if status in _LASTING and times == 0:
        return f"+25670000{status}0"
    passing, lasting = (", ".join(map(str, some)) for some in (_PASSING, _LASTING))
    raise ValueError(
        f"No number is answered {status}, {times} times: there are {passing} for 0 to "
        f"{_MOST_TIMES} times, and {lasting} for 0, which is every time."
    )
