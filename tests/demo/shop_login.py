"""Logging in with a code that comes by SMS."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shop_sms import NotSent, Sms

LIFETIME = timedelta(minutes=10)


@dataclass
class _Pending:
    code: str
    until: datetime


class Login:
    """Sends codes, and takes each once, for ten minutes."""

    def __init__(self, sms: Sms, now: Callable[[], datetime]) -> None:
        self._sms = sms
        self._now = now
        self._pending: dict[str, _Pending] = {}

    def request(self, number: str) -> str:
        """Send a code, and return what the page says."""
        code = f"{secrets.randbelow(10**6):06d}"
        text = f"Your Shop code is {code}. It expires in 10 minutes. Not you? https://shop.example/help"
        try:
            self._sms.send(number, text, key=f"login-{secrets.token_hex(8)}")
        except NotSent as problem:
            wrong = problem.code == "invalid_phone_number"
            return "That is no phone number." if wrong else "Please try again in a minute."
        self._pending[number] = _Pending(code, self._now() + LIFETIME)
        return "We have sent you a code."

    def check(self, number: str, code: str) -> bool:
        """Return whether a code logs in."""
        pending = self._pending.get(number)
        if pending is None or pending.code != code or self._now() >= pending.until:
            return False
        del self._pending[number]
        return True
