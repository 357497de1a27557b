"""A message of each channel of the Developers API, and times to schedule them for."""

from datetime import datetime, timedelta

import pytest
from box import NUMBER, Box
from hypothesis import strategies as st

from msgine_sandbox.model.clock import Instant, from_datetime, iso_seconds, seconds

SMS = {"to": NUMBER, "message": "Hello"}
EMAIL = {
    "from": "Shop <shop@example.com>",
    "to": "jane@example.com",
    "subject": "Your order",
    "text": "It is on its way",
}
PUSH = {"title": "Your order", "body": "It is on its way", "tokens": ["token-of-a-phone"]}
SENDS = {"/sms": SMS, "/email": EMAIL, "/push": PUSH}
AS_SDKS_SEND = SENDS | {
    "/push": {"title": "Your order", "body": "It is on its way", "topic": "orders"},
}
"""The same without `tokens`, which cause a warning."""
CHANNELS = pytest.mark.parametrize("path", SENDS)

_LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ANY_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


def micros(text: str) -> Instant:
    """Return a time of the sandbox as an instant, in microseconds."""
    return from_datetime(datetime.fromisoformat(text))


async def later(box: Box, **by: float) -> str:
    """Return a future time on the account's clock, in whole seconds."""
    now = (await box.get("/_sandbox/clock"))["now"]
    return iso_seconds(micros(now) + seconds(timedelta(**by).total_seconds()))
