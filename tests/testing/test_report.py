"""The report on a client, in Python, and the file that a session of pytest writes."""

import json
from collections.abc import Callable

import pytest
from client_sends import NUMBER, post_sms, send_sms
from command import LIMIT
from live import serving
from session import OPTIONS

from msgine_sandbox.testing import Account

Run = Callable[..., pytest.RunResult]

SHOP = """
import httpx
import pytest
from msgine_sandbox.testing import SandboxError, WebhookReceiver

def send(account, **headers):
    body = {"to": "+256701234567", "message": "Hello"}
    headers["Authorization"] = f"Bearer {account.token}"
    return httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)

@pytest.mark.parametrize("turn", range(3))
def test_retries(msgine, turn):
    msgine.faults.fail(status=503, retry_after=1000, times=turn + 1)
    for _ in range(turn + 2):
        send(msgine)

def test_is_reset_in_between(msgine):
    send(msgine, **{"Idempotency-Key": "k"})
    msgine.reset()
    send(msgine, **{"Idempotency-Key": "k"})

def test_is_loaded_in_between(msgine):
    send(msgine)
    with pytest.raises(SandboxError):
        msgine.load({"accounts": [{"tier": "gold"}]})
    msgine.load(msgine.scenario)
    send(msgine)

def test_another(msgine):
    send(msgine.another())

def test_webhooks(msgine, msgine_webhooks):
    msgine_webhooks.answer(500)
    send(msgine)
    msgine.clock.advance(seconds=10)
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test module, under the strictest warnings."""

    def run(module: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(module)
        return pytester.runpytest_subprocess(*OPTIONS, *options, timeout=LIMIT)

    return run


# The client


def test_the_report_has_what_the_client_did(account: Account) -> None:
    with account.faults.fail(status=503, retry_after=1000, times=1):
        for _ in range(2):
            post_sms(account)
    send_sms(account)
    report = account.report
    assert (report.requests, report.dropped) == (3, 0)
    assert (report.since, report.until) == (account.requests[-1].at, account.requests[0].at)
    assert (report.retried, report.retried_early) == (1, 1)
    [retry] = report.retries
    assert (retry.request_id, retry.repeats) == (account.requests[1].id, account.requests[2].id)
    assert (retry.after, retry.asked, retry.early) == (503, 1000, True)
    assert (report.sends, report.sends_with_key, report.sends_without_key) == (3, 0, 3)
    assert report.warnings == {
        "retried-too-early": 1,
        "post-retried-without-idempotency-key": 1,
    }
    assert f"({account.origin}/docs/warnings#retried-too-early)" in report.markdown
    assert report.raw == account.control("GET", "/report")


def test_the_markdown_of_the_client_is_that_of_the_sandbox(account: Account) -> None:
    import httpx

    send_sms(account, NUMBER)
    answer = httpx.get(
        f"{account.origin}/_sandbox/report?format=markdown", headers={"X-Api-Key": account.token}
    )
    assert account.report.markdown == answer.text


# The option


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "two processes"])
@pytest.mark.parametrize("where", ["its own", "a running one"])
def test_the_file_is_about_all_tests(
    run: Run, pytester: pytest.Pytester, where: str, options: list[str]
) -> None:
    options = [*options, "--msgine-report", "report.json"]
    if where == "its own":
        ended = run(SHOP, *options)
    else:
        with serving() as live:
            ended = run(SHOP, *options, "--msgine-url", live.base_url)
    ended.assert_outcomes(passed=7)
    path = pytester.path / "report.json"
    ended.stdout.fnmatch_lines(["*= MsGine report =*", f"The report on the client is in {path}"])
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["covers"]["requests"] == 2 + 3 + 4 + 2 + 2 + 1 + 1
    assert (report["retries"]["total"], report["retries"]["early"]) == (6, 6)
    assert (report["keys"]["withKey"], report["keys"]["withoutKey"]) == (2, 13)
    assert (report["webhooks"]["attempts"], report["webhooks"]["failed"]) == (3, 1)
    assert {each["code"]: each["count"] for each in report["warnings"]} == {
        "retried-too-early": 6,
        "post-retried-without-idempotency-key": 6,
        "webhook-failed": 1,
    }


def test_the_account_of_a_token_counts_once_for_each_test(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def msgine_settings():
            return {"token": ("test_only",)}
        """
    )
    run(SHOP, "-k", "retries", "--msgine-report", "report.json").assert_outcomes(passed=3)
    report = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))
    assert report["covers"]["requests"] == 2 + 3 + 4
    assert report["account"] == "test_only"


def test_a_name_that_ends_in_md_gets_markdown(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmsgine_report = report.md")
    run(SHOP, "-k", "retries").assert_outcomes(passed=3)
    text = (pytester.path / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Report on the client\n")
    assert "| retried-too-early (`/docs/warnings#retried-too-early`) | 6 |" in text


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("report.html", "--msgine-report takes a file that ends in .md or .json: report.html"),
        ("nowhere/report.md", "--msgine-report: there is no folder *nowhere"),
    ],
)
def test_a_name_that_cannot_be_used_ends_the_session(run: Run, name: str, problem: str) -> None:
    ended = run(SHOP, "--msgine-report", name)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines([f"ERROR: {problem}"])


def test_without_a_test_that_uses_the_sandbox_there_is_no_file(
    run: Run, pytester: pytest.Pytester
) -> None:
    ended = run("def test_nothing(): pass", "--msgine-report", "report.md")
    ended.stdout.fnmatch_lines(["No test used the sandbox: there is nothing to report."])
    assert not (pytester.path / "report.md").exists()
