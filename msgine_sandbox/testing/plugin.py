"""The pytest plugin: fixtures, options, a failed test's report, and coverage at the end.

It is loaded in every session that has the package installed, so it imports nothing that costs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from msgine_sandbox.testing.coverage import CoverageReport
from msgine_sandbox.testing.report import sections

if TYPE_CHECKING:
    from msgine_sandbox.testing import Account, Server, WebhookReceiver

_WITHIN = pytest.StashKey[int]()
"""How many accounts there were before a test began."""
_SERVER = pytest.StashKey["Server"]()
_COVERAGE = pytest.StashKey[CoverageReport]()


@pytest.fixture(scope="session")
def msgine_settings() -> Mapping[str, Any]:
    """Settings of the sandbox that the session starts; override it to have others."""
    return {}


@pytest.fixture(scope="session")
def msgine_server(
    request: pytest.FixtureRequest, msgine_settings: Mapping[str, Any]
) -> Iterator[Server]:
    """The session's sandbox: started on a free port, or the one that --msgine-url names."""
    config = request.config
    server = _server(config, msgine_settings)
    config.stash[_SERVER] = server
    with server:
        try:
            yield server
        finally:
            config.stash[_COVERAGE].collect(server)
            del config.stash[_SERVER]


@pytest.fixture
def msgine(msgine_server: Server) -> Iterator[Account]:
    """A fresh account on the session's sandbox."""
    account = msgine_server.account()
    yield account
    if msgine_server.is_ours:
        # What was still to happen, webhooks above all, must not reach into the next test.
        account.messages.clear()


@pytest.fixture
def msgine_webhooks(request: pytest.FixtureRequest, msgine: Account) -> Iterator[WebhookReceiver]:
    """A webhook receiver that hears of everything that the account of `msgine` sends."""
    from msgine_sandbox.testing import WebhookReceiver

    with WebhookReceiver(msgine, host=_option(request.config, "webhook_host")) as receiver:
        yield receiver


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and the same in an ini file."""
    group = parser.getgroup("msgine", "MsGine sandbox")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--msgine-{name}", metavar=metavar, help=text)
        parser.addini(f"msgine_{name.replace('-', '_')}", text)
    text = "End with the documented behaviours that the tests met, and those they never met."
    group.addoption("--msgine-coverage", action="store_true", default=None, help=text)
    parser.addini("msgine_coverage", text, type="bool", default=False)


_OPTIONS = [
    ("url", "URL", "Use the sandbox at this origin or base URL instead of starting one."),
    ("control-token", "TOKEN", "The control token of the sandbox that --msgine-url names."),
    ("webhook-host", "NAME", "The name under which that sandbox reaches this machine's webhooks."),
    ("coverage-fail-under", "N", "Fail when less than N percent of the behaviours were met."),
]


def pytest_configure(config: pytest.Config) -> None:
    """Read the options of coverage."""
    given = _option(config, "coverage_fail_under")
    try:
        minimum = None if given is None else float(given)
    except ValueError:
        minimum = -1.0  # not a number: refused like a number out of range
    if minimum is not None and not 0 <= minimum <= 100:
        raise pytest.UsageError(f"--msgine-coverage-fail-under takes 0 to 100, not {given}")
    enabled = minimum is not None or bool(_option(config, "coverage"))
    config.stash[_COVERAGE] = CoverageReport(enabled=enabled, minimum=minimum)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which accounts were there before the test."""
    server = item.config.stash.get(_SERVER, None)
    item.stash[_WITHIN] = 0 if server is None else len(server.accounts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the test's accounts sent and asked to the report of a failure."""
    report = yield
    server = item.config.stash.get(_SERVER, None)
    if report.failed and server is not None:
        for account in server.accounts[item.stash.get(_WITHIN, 0) :]:
            report.sections += sections(account)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand coverage to whoever merges it, or judge it."""
    coverage = session.config.stash[_COVERAGE]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["msgine_coverage"] = coverage.dump()
    elif coverage.is_too_low and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the coverage of a worker of pytest-xdist; one that crashed has none."""
    dumped = getattr(node, "workeroutput", {}).get("msgine_coverage")
    if dumped is not None:
        node.config.stash[_COVERAGE].load(dumped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was met and what never was."""
    coverage = terminalreporter.config.stash[_COVERAGE]
    if coverage.enabled:
        terminalreporter.section("MsGine coverage")
        for line in coverage.lines():
            terminalreporter.write_line(line)
        if coverage.is_too_low:
            terminalreporter.write_line(coverage.failure(), red=True)


def _option(config: pytest.Config, name: str) -> Any:
    given = config.getoption(f"msgine_{name}")
    return config.getini(f"msgine_{name}") or None if given is None else given


def _server(config: pytest.Config, settings: Mapping[str, Any]) -> Server:
    from msgine_sandbox.settings import SettingsError
    from msgine_sandbox.storage.file import DatabaseUnusable
    from msgine_sandbox.testing import SandboxError, Server

    url = _option(config, "url")
    try:
        if url is not None:
            return Server.connect(url, _option(config, "control_token"))
        return Server.start(**settings)
    except (SettingsError, DatabaseUnusable, SandboxError) as error:
        why = str(error)
    pytest.fail(f"The MsGine sandbox cannot be used: {why}", pytrace=False)
