"""The pytest plugin: fixtures, options, sections in the report of a failed test, both reports.

pytest loads it in every session where the package is installed, so the client's HTTP code and ssl
are imported only where a test uses the fixtures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from msgine_sandbox.model.characters import printable
from msgine_sandbox.model.masking import masked
from msgine_sandbox.model.warning_code import unknown_code
from msgine_sandbox.testing.coverage import CoverageReport
from msgine_sandbox.testing.errors import SandboxError

if TYPE_CHECKING:
    from msgine_sandbox.testing import Account, Server, WebhookReceiver
    from msgine_sandbox.testing.report import ReportFile

_MAX_ENTRIES: Final = 15  # messages or requests in a section
_MAX_LINE: Final = 160
_MAX_BODY: Final = 90
_SECTION_TIMEOUT: Final = 2.0  # seconds; a report must not hang

_SERVER = pytest.StashKey["Server"]()
_COVERAGE = pytest.StashKey[CoverageReport]()
_REPORT_FILE = pytest.StashKey["ReportFile | None"]()
_TOO_LOW = pytest.StashKey[bool]()
"""Whether the coverage has failed the session."""
_FIRST_ACCOUNT = pytest.StashKey[int]()
"""Index in `Server.accounts` of the first account that a test requests."""

_Describe = Callable[[Mapping[str, Any]], Iterable[str]]
"""Returns the lines of a section about one message or request."""

_OPTIONS: Final = (
    ("url", "URL", "Use the sandbox at this origin or base URL instead of starting one."),
    ("control-token", "TOKEN", "The control token of the sandbox that --msgine-url names."),
    ("webhook-host", "NAME", "The host name under which that sandbox reaches this machine."),
    ("report", "FILE", "Write what the clients did to this file, .md or .json."),
    ("coverage-fail-under", "N", "Fail if less than N percent of the behaviours were met."),
)
_IGNORED: Final = "msgine_ignore_warnings"
_CLOCK: Final = "msgine_clock"
_COVERAGE_HELP: Final = "Print the documented behaviours that the tests met and never met."


@pytest.fixture(scope="session")
def msgine_settings() -> Mapping[str, Any]:
    """Settings of the sandbox that the session starts: none. Override it to change them.

    With the setting `token`, `msgine` is the account of the first one, made new for each test.
    """
    return {}


@pytest.fixture(scope="session")
def msgine_server(
    request: pytest.FixtureRequest, msgine_settings: Mapping[str, Any]
) -> Iterator[Server]:
    """The session's sandbox: started on a free port, or the one that --msgine-url names."""
    config = request.config
    server = _open_server(config, msgine_settings)
    server.ignored_warnings = frozenset(config.getini(_IGNORED))
    report_file = server.report_file = config.stash[_REPORT_FILE]
    server.starts_frozen = config.getini(_CLOCK) == "frozen"
    config.stash[_SERVER] = server
    with server:
        try:
            yield server
        finally:
            config.stash[_COVERAGE].collect(server)
            if report_file is not None:
                for account in server.accounts:
                    report_file.add(account)
            del config.stash[_SERVER]


@pytest.fixture
def msgine(msgine_server: Server) -> Iterator[Account]:
    """A fresh account on the session's sandbox."""
    if "pytest_socket" in sys.modules:
        # Better here than in the code under test, whose first call would be blocked.
        with _one_line_failure():
            msgine_server.wire.check_connection()
    account = msgine_server.account(*msgine_server.tokens[:1])
    if msgine_server.tokens:
        account.reset()  # it was that of the test before
    yield account
    if msgine_server.report_file is not None:
        msgine_server.report_file.add(account)  # before its webhook attempts go with its messages
    if msgine_server.is_ours:
        # Steps that are still due, webhooks above all, must not run during the next test.
        account.messages.clear()


@pytest.fixture
def msgine_webhooks(request: pytest.FixtureRequest, msgine: Account) -> Iterator[WebhookReceiver]:
    """A webhook receiver that gets every webhook of the account of `msgine`."""
    from msgine_sandbox.testing import WebhookReceiver

    with WebhookReceiver(msgine, host=_option(request.config, "webhook_host")) as receiver:
        yield receiver


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command line options, and the same options for the ini file."""
    group = parser.getgroup("msgine", "MsGine sandbox")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--msgine-{name}", metavar=metavar, help=text)
        parser.addini(f"msgine_{name.replace('-', '_')}", text)
    # The default is None, so that the ini file counts where the flag is absent.
    group.addoption("--msgine-coverage", action="store_true", default=None, help=_COVERAGE_HELP)
    parser.addini("msgine_coverage", _COVERAGE_HELP, type="bool", default=False)
    # Of the ini file only: what a team accepts does not differ from one run to the next.
    parser.addini(_IGNORED, "Codes of warnings that tests accept.", type="args", default=[])
    parser.addini(_CLOCK, "How the clock of each account starts: real or frozen.", default="real")


def pytest_configure(config: pytest.Config) -> None:
    """Check the codes of ignored warnings and the clock, and read the options of both reports.

    Raises:
        pytest.UsageError: a code is unknown, `msgine_clock` is neither real nor frozen,
            --msgine-coverage-fail-under is not a number from 0 to 100, or --msgine-report does not
            name a file that can be written.
    """
    problem = unknown_code(config.getini(_IGNORED))
    if problem is not None:
        raise pytest.UsageError(f"{_IGNORED}: {problem}")
    clock = config.getini(_CLOCK)
    if clock not in {"real", "frozen"}:
        raise pytest.UsageError(f"{_CLOCK} is real or frozen, not {clock}")
    given = _option(config, "coverage_fail_under")
    try:
        minimum = None if given is None else float(given)
    except ValueError:
        minimum = -1.0  # rejected below, like every number out of range
    if minimum is not None and not 0 <= minimum <= 100:
        raise pytest.UsageError(f"--msgine-coverage-fail-under takes 0 to 100, not {given}")
    enabled = minimum is not None or bool(_option(config, "coverage"))
    config.stash[_COVERAGE] = CoverageReport(enabled=enabled, minimum=minimum)
    config.stash[_REPORT_FILE] = _report_file(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import the client before the first test that uses it.

    Tests replace parts of the standard library; what the client imports must be the original.
    """
    # A test may ask for a fixture by name when it runs. Where http.client is loaded, importing the
    # client costs nothing, and some tool is there that may replace it.
    if "http.client" in sys.modules or any(
        "msgine_server" in getattr(item, "fixturenames", ()) for item in session.items
    ):
        from msgine_sandbox.testing import receiver, server  # noqa: F401


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember how many accounts there are before the test."""
    server = item.config.stash.get(_SERVER, None)
    item.stash[_FIRST_ACCOUNT] = 0 if server is None else len(server.accounts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the messages and requests of the test's accounts to the report of a failure."""
    report = yield
    server = item.config.stash.get(_SERVER, None)
    if report.failed and server is not None:
        for account in server.accounts[item.stash.get(_FIRST_ACCOUNT, 0) :]:
            report.sections += _sections(account)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the coverage of a pytest-xdist worker to the main process, or fail if it is too low.

    A session that has failed or was stopped is not judged: it did not run all that it would.
    """
    config = session.config
    coverage = config.stash[_COVERAGE]
    worker_output = getattr(config, "workeroutput", None)
    if worker_output is not None:
        worker_output["msgine_coverage"] = coverage.dump()
        report_file = config.stash[_REPORT_FILE]
        worker_output["msgine_report"] = None if report_file is None else report_file.dump()
    elif session.exitstatus == pytest.ExitCode.OK and _runs_tests(config) and coverage.is_too_low:
        config.stash[_TOO_LOW] = True
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the coverage and the report of a pytest-xdist worker; one that crashed sent none."""
    output = getattr(node, "workeroutput", {})
    dumped = output.get("msgine_coverage")
    if dumped is not None:
        node.config.stash[_COVERAGE].load(dumped)
    dumped, report_file = output.get("msgine_report"), node.config.stash[_REPORT_FILE]
    if dumped is not None and report_file is not None:
        report_file.load(dumped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the coverage report, and write the report on the clients."""
    config = terminalreporter.config
    report_file = config.stash[_REPORT_FILE]
    if report_file is not None and _runs_tests(config):
        terminalreporter.section("MsGine report")
        for line in report_file.write():
            terminalreporter.write_line(line)
    coverage = config.stash[_COVERAGE]
    if coverage.enabled and _runs_tests(config):
        terminalreporter.section("MsGine coverage")
        for line in coverage.lines():
            terminalreporter.write_line(line)
        if config.stash.get(_TOO_LOW, False):
            terminalreporter.write_line(coverage.failure(), red=True)


def _runs_tests(config: pytest.Config) -> bool:
    """Return whether a session runs its tests, instead of only collecting or setting them up."""
    return not any(config.getoption(name, False) for name in ("collectonly", "setuponly"))


def _option(config: pytest.Config, name: str) -> Any:
    """Return an option of the command line, or else of the ini file, or else None."""
    given = config.getoption(f"msgine_{name}")
    return config.getini(f"msgine_{name}") or None if given is None else given


def _report_file(config: pytest.Config) -> ReportFile | None:
    given = _option(config, "report")
    if given is None:
        return None
    from msgine_sandbox.testing.report import SUFFIXES, ReportFile

    path = config.invocation_params.dir / given
    if path.suffix not in SUFFIXES:
        raise pytest.UsageError(f"--msgine-report takes a file that ends in .md or .json: {given}")
    if not path.parent.is_dir():
        raise pytest.UsageError(f"--msgine-report: there is no folder {path.parent}")
    return ReportFile(path)


def _open_server(config: pytest.Config, settings: Mapping[str, Any]) -> Server:
    from msgine_sandbox.testing.server import Server

    url = _option(config, "url")
    with _one_line_failure():
        if url is None:
            return _start_server(config, settings)
        return Server.connect(url, _option(config, "control_token"))


def _start_server(config: pytest.Config, settings: Mapping[str, Any]) -> Server:
    # Here, because a session that uses a running sandbox has no need of it.
    from msgine_sandbox.settings import SettingsError, renamed
    from msgine_sandbox.testing.server import Server

    try:
        if not isinstance(settings, Mapping):
            raise SettingsError(f"it must return a dict, not {type(settings).__name__}.")
        return Server.start(**{str(name): value for name, value in settings.items()})
    except SettingsError as error:
        reason = renamed(str(error), lambda of: of.name)
        sentence = f"The fixture msgine_settings cannot be used: {reason}"
    if hasattr(config, "workerinput"):
        # The main process of pytest-xdist takes the end of a worker for a crash.
        raise pytest.fail.Exception(sentence, pytrace=False)
    pytest.exit(sentence, pytest.ExitCode.USAGE_ERROR)


@contextmanager
def _one_line_failure() -> Iterator[None]:
    """Fail the test with the text of an error of the sandbox, and without a traceback."""
    try:
        yield
    except (SandboxError, ValueError) as error:  # SettingsError is a ValueError
        sentence = f"The MsGine sandbox cannot be used: {error}"
        # `from None`, so that the report is this one line and no chain of exceptions.
        raise pytest.fail.Exception(sentence, pytrace=False) from None


def _sections(account: Account) -> list[tuple[str, str]]:
    """Return titles and texts for the report of a failed test: messages, then requests.

    Nothing is raised: if the sandbox does not answer, the text says so.
    """
    from msgine_sandbox.testing.descriptions import describe_message

    token = account.token
    described: dict[str, _Describe] = {
        "messages": lambda raw: [describe_message(raw)],
        "requests": lambda raw: _describe_request(raw, account.requests.ignored),
    }
    sections = []
    for noun, describe in described.items():
        try:
            listed = account.server.wire.call(
                "GET", f"/{noun}", token, params={"limit": _MAX_ENTRIES}, timeout=_SECTION_TIMEOUT
            )
            text = _section_text(listed["data"], listed["total"], describe)
        except SandboxError as error:
            text = f"unknown: {error}"
        sections.append((f"MsGine {noun} of account {printable(masked(token))}", text))
    return sections


def _section_text(entries: list[Mapping[str, Any]], total: int, describe: _Describe) -> str:
    """Return the entries, which are newest first, in the order in which they happened."""
    lines = [f"… {total - len(entries)} earlier ones"] if total > len(entries) else []
    for raw in reversed(entries):
        lines += [printable(_truncated(line, _MAX_LINE)) for line in describe(raw)]
    return "\n".join(lines) or "none"


def _describe_request(raw: Mapping[str, Any], ignored: Collection[str]) -> Iterator[str]:
    query = f"?{raw['query']}" if raw["query"] else ""
    status = "no response" if raw["status"] is None else raw["status"]
    body = _one_line(raw["request"]["body"])
    yield f"{raw['method']} {raw['path']}{query} → {status} {body}".rstrip()
    if raw["response"] is not None and raw["status"] >= 400:
        yield f"    response: {_one_line(raw['response']['body'])}"
    decisions = [f"{each['by']} {each['outcome']}" for each in raw["decisions"]]
    if decisions:
        yield f"    decisions: {', '.join(decisions)}"
    yield from (f"    {each['reason']}" for each in raw["decisions"] if "reason" in each)
    for warning in raw["warnings"]:
        if warning["code"] in ignored:
            continue
        yield f"    warning: {warning['code']}: {warning['message']}"


def _one_line(body: str) -> str:
    return _truncated(re.sub(r"\s+", " ", body), _MAX_BODY)


def _truncated(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
