"""A sandbox that this process starts, or that already runs elsewhere, and the accounts on it.

The client is imported while a sandbox starts, which takes longer, unless it is there already: names
of `testing` import it, and the plugin before the first test.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgine_sandbox.testing.coverage import Coverage, coverage_of
from msgine_sandbox.testing.errors import SandboxError
from msgine_sandbox.testing.process import SandboxProcess

if TYPE_CHECKING:
    from msgine_sandbox.testing.account import Account
    from msgine_sandbox.testing.client import ControlClient
    from msgine_sandbox.testing.report import ReportFile

# As in settings.py, which the client does not import: it takes time from each session of pytest.
_BASE_PATH: Final = "/api/v1"


class Server:
    """A sandbox; `close` it after use, or use it as a context manager.

    Use `start` or `connect` to get one.
    """

    def __init__(self, wire: ControlClient, process: SandboxProcess | None = None) -> None:
        self.wire = wire
        """The client of its control API."""
        self._process = process
        self.accounts: list[Account] = []
        """Every account that was requested from this object, the oldest first."""
        self.ignored_warnings: frozenset[str] = frozenset()
        """The codes of warnings that accounts which are requested from now on ignore."""
        self.report_file: ReportFile | None = None
        """What collects the reports on accounts, where a test session does."""
        self.starts_frozen = False
        """Whether accounts that are requested from now on start with a frozen clock."""
        self._remembered = Coverage()

    @classmethod
    def start(cls, **settings: Any) -> Server:
        """Start a sandbox as a child process, on a free port unless settings name one.

        Raises:
            SettingsError: a setting cannot be used; the address cannot be listened on, for example.
            SandboxUnreachable: it ends for another reason; the text has the end of its output.
        """
        process = SandboxProcess(settings)
        try:
            # Here, because the sandbox starts meanwhile.
            from msgine_sandbox.testing import account, client  # noqa: F401

            origin = process.wait_until_it_answers().removesuffix(_BASE_PATH)
        except BaseException:  # such as KeyboardInterrupt
            process.stop()
            raise
        # This process has just started it, so there is no need to verify its certificate.
        wire = client.ControlClient(origin, settings.get("control_token"), process, verify=False)
        return cls(wire, process)

    @classmethod
    def connect(cls, url: str, control_token: str | None = None) -> Server:
        """Use the running sandbox at an origin or base URL.

        Raises:
            SandboxUnreachable: no sandbox answers there.
            SandboxError: the sandbox refuses the host name of the URL.
        """
        from msgine_sandbox.testing.client import ControlClient

        wire = ControlClient(url.rstrip("/").removesuffix(_BASE_PATH), control_token)
        try:
            wire.call("GET", "/health")
        except BaseException:
            wire.close()
            raise
        return cls(wire)

    @property
    def origin(self) -> str:
        """Origin of the sandbox, such as `http://127.0.0.1:8256`."""
        return self.wire.origin

    @property
    def base_url(self) -> str:
        """Base URL of the API, for the client under test."""
        return self.origin + _BASE_PATH

    @property
    def is_ours(self) -> bool:
        """Whether this process started the sandbox."""
        return self._process is not None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The only tokens that it accepts, if this process started it with such; else none."""
        return () if self._process is None else self._process.tokens

    @property
    def coverage(self) -> Coverage:
        """Which documented behaviours were met, including those met before a reset.

        By every account if this process started the sandbox, otherwise only by `accounts`: other
        test suites may use a sandbox that runs elsewhere.
        """
        coverage = self._remembered
        if self.is_ours:
            return coverage.merged(coverage_of(self.wire.call("GET", "/coverage")))
        for account in list(self.accounts):
            coverage = coverage.merged(account.coverage)
        return coverage

    def remember(self, coverage: Coverage) -> None:
        """Keep the coverage of an account that is about to be reset."""
        self._remembered = self._remembered.merged(coverage)

    def account(self, token: str | None = None) -> Account:
        """Return the account of a token, or a fresh account with a random token.

        Raises:
            SandboxError: no token is given, and a random one would not be accepted.
        """
        if token is None and self.tokens:
            raise SandboxError(
                "There is no fresh account, because only the tokens of the setting token are "
                "accepted: name one of them."
            )
        from msgine_sandbox.testing.account import Account

        token = token or f"test_{secrets.token_hex(12)}"
        account = Account(self, token, starts_frozen=self.starts_frozen)
        self.accounts.append(account)
        return account

    def close(self) -> None:
        """Close the connections, and stop the sandbox if this process started it."""
        self.wire.close()
        if self._process is not None:
            self._process.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server at {self.origin}>"


@contextmanager
def start(**settings: Any) -> Iterator[Account]:
    """Run a sandbox inside the block and return an account on it.

    Its token is the first one of the setting `token`, otherwise a random one.
    """
    with Server.start(**settings) as server:
        yield server.account(*server.tokens[:1])


@contextmanager
def connect(
    url: str, token: str | None = None, control_token: str | None = None
) -> Iterator[Account]:
    """Return an account on the running sandbox at a URL, a fresh one without a token."""
    with Server.connect(url, control_token) as server:
        yield server.account(token)
