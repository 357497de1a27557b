"""Tickets: each lets one path be read for a minute, by a request that can send no header.

A frame in the page is such a request, where the control API requires a control token. A ticket
stands in for the token in the query, and so gets into histories and logs of proxies: it names the
account that it is for, is of no use for another path, and soon of none at all.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from msgine_sandbox.model.clock import SECOND, Instant, RealTime

SECONDS: Final = 60
"""How long a ticket is valid."""


class Tickets:
    """Makes tickets, and recognizes them until they expire.

    None is stored: a ticket is an account and a time, with an authentication code over both and the
    path. The key is that of this process, so that a restart ends all of them. They expire by real
    time, because the clocks of accounts can be frozen and moved.
    """

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self._key = token_bytes(32)

    def issue(self, path: str, account_id: int) -> tuple[str, Instant]:
        """Return a new ticket for a path, and when it expires."""
        expires_at = self._real.now() + SECONDS * SECOND
        terms = f"{account_id}.{expires_at}"
        return f"{terms}.{self._code(path, terms)}", expires_at

    def account_id(self, ticket: str, path: str) -> int | None:
        """Return the account that a ticket for a path is for; None where it is not valid."""
        terms, _, code = ticket.rpartition(".")
        # All of it is compared before any of it is read, in a time that tells nothing.
        expected = self._code(path, terms)
        if not hmac.compare_digest(code.encode(errors="replace"), expected.encode()):
            return None
        account_id, _, expires_at = terms.partition(".")
        return int(account_id) if self._real.now() < int(expires_at) else None

    def _code(self, path: str, terms: str) -> str:
        # No terms have a line break, so this text is that of one path and one ticket only.
        text = f"{path}\n{terms}".encode(errors="surrogatepass")
        return urlsafe_b64encode(hmac.digest(self._key, text, sha256)).decode().rstrip("=")
