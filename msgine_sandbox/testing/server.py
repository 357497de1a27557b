"""A sandbox, here or elsewhere, and accounts on it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgine_sandbox.testing.account import Account
from msgine_sandbox.testing.client import ControlClient
from msgine_sandbox.testing.coverage import Coverage, coverage_of

if TYPE_CHECKING:
    from msgine_sandbox.background import Background

_BASE_PATH: Final = "/api/v1"


class Server:
    """A sandbox; close it when done, or use it as a context manager."""

    def __init__(self, wire: ControlClient, stop: Callable[[], None] | None = None) -> None:
        self.wire = wire
        self._stop = stop
        self.accounts: list[Account] = []
        """Every account that was asked for here, the oldest first."""
        self._forgotten = Coverage()

    @classmethod
    def start(cls, **settings: Any) -> Server:
        """Serve a new sandbox from a thread of this process, by default on a free port.

        Raises:
            SettingsError: a setting cannot be used.
            DatabaseUnusable: the database file cannot be used.
        """
        background = _background(settings)
        origin = background.base_url.removesuffix(_BASE_PATH)
        # Who serves itself need not be shown a certificate.
        wire = ControlClient(origin, background.settings.control_token, verify=False)
        return cls(wire, background.stop)

    @classmethod
    def connect(cls, url: str, control_token: str | None = None) -> Server:
        """Use the sandbox at an origin or base URL.

        Raises:
            SandboxUnreachable: none answers there.
            SandboxError: it does not answer under that name.
        """
        wire = ControlClient(url.rstrip("/").removesuffix(_BASE_PATH), control_token)
        try:
            wire.call("GET", "/health")
        except BaseException:
            wire.close()
            raise
        return cls(wire)

    @property
    def origin(self) -> str:
        """Where it is, as `http://127.0.0.1:8256`."""
        return self.wire.origin

    @property
    def base_url(self) -> str:
        """The base URL of the API, as a client is given it."""
        return self.origin + _BASE_PATH

    @property
    def is_ours(self) -> bool:
        """Whether this process serves it."""
        return self._stop is not None

    @property
    def coverage(self) -> Coverage:
        """Which documented behaviours were met: by all where we serve, else by `accounts`."""
        met = self._forgotten
        if self.is_ours:
            return met.merged(coverage_of(self.wire.call("GET", "/coverage")))
        for account in list(self.accounts):
            met = met.merged(account.coverage)
        return met

    def remember(self, coverage: Coverage) -> None:
        """Count what the sandbox is about to forget."""
        self._forgotten = self._forgotten.merged(coverage)

    def account(self, token: str | None = None) -> Account:
        """Give the account of a token, or a fresh one."""
        account = Account(self, token or f"test_{secrets.token_hex(12)}")
        self.accounts.append(account)
        return account

    def close(self) -> None:
        """Hang up, and stop the sandbox if this process serves it."""
        self.wire.close()
        if self._stop is not None:
            self._stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server at {self.origin}>"


@contextmanager
def start(**settings: Any) -> Iterator[Account]:
    """Serve a sandbox inside the block, and give an account on it."""
    with Server.start(**settings) as server:
        accepted = settings.get("token") or [None]
        yield server.account(accepted[0])


@contextmanager
def connect(
    url: str, token: str | None = None, control_token: str | None = None
) -> Iterator[Account]:
    """Give an account on the sandbox at a URL, a fresh one without a token."""
    with Server.connect(url, control_token) as server:
        yield server.account(token)


def _background(settings: dict[str, Any]) -> Background:
    from msgine_sandbox.background import Background
    from msgine_sandbox.settings import Settings, SettingsError

    unknown = settings.keys() - {*Settings.__dataclass_fields__}
    if unknown:
        raise SettingsError(f"There is no setting {', '.join(sorted(unknown))}.")
    return Background(Settings(**{"port": 0} | settings))
