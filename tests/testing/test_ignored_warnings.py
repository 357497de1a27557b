"""Warnings that a team accepts are neither in `warnings` nor in the report of a failed test."""

import pytest
from client_sends import post_sms
from command import LIMIT
from session import OPTIONS

from msgine_sandbox.model.warning_code import WarningCode
from msgine_sandbox.testing import Account

FIXED_LINE = "+256414123456"

TESTS = """
import httpx

def send(account, **fields):
    body = {"to": "+256414123456", "message": "Hello", "colour": "red", **fields}
    headers = {"Authorization": account.token}
    assert httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers).is_success

def test_one_is_left(msgine):
    send(msgine)
    assert [each.code for each in msgine.requests.warnings] == ["number-not-mobile"]
    assert "unknown-field" in {each.code for each in msgine.requests[0].warnings}

def test_another_account_ignores_the_same(msgine):
    other = msgine.another()
    send(other)
    assert [each.code for each in other.requests.warnings] == ["number-not-mobile"]

def test_one_more_is_ignored_and_the_rest_is_reported(msgine):
    msgine.requests.ignore("number-not-mobile")
    send(msgine)
    assert msgine.requests.warnings == []
    assert 0

def test_the_next_test_has_it_again(msgine):
    send(msgine)
    assert 0
"""


def warned(account: Account) -> list[str]:
    return [each.code for each in account.requests.warnings]


def test_ignored_codes_are_absent_whenever_the_warning_came(account: Account) -> None:
    post_sms(account, FIXED_LINE, colour="red")
    assert warned(account) == ["unknown-field", "number-not-mobile"]
    account.requests.ignore("unknown-field")
    post_sms(account, colour="red")
    assert warned(account) == ["number-not-mobile"]
    account.requests.ignore("number-not-mobile", "looks-live")
    assert warned(account) == []
    assert account.requests.ignored == {"unknown-field", "number-not-mobile", "looks-live"}
    assert len(account.requests.list(warning="unknown-field")) == 2
    assert warned(account.another()) == []


def test_another_account_ignores_nothing(account: Account) -> None:
    account.requests.ignore(*WarningCode)
    other = account.another()
    post_sms(other, colour="red")
    assert warned(other) == ["unknown-field"]


def test_an_unknown_code_is_refused_and_nothing_is_ignored(account: Account) -> None:
    with pytest.raises(ValueError, match=r"There is no warning colour; the codes are retried-"):
        account.requests.ignore("unknown-field", "colour")
    assert account.requests.ignored == set()


def test_the_ini_file_names_what_all_tests_ignore(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        '[tool.pytest.ini_options]\nmsgine_ignore_warnings = ["unknown-field", "bearer-missing"]'
    )
    pytester.makepyfile(TESTS)
    ended = pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT)
    ended.assert_outcomes(passed=2, failed=2)
    reports = ended.stdout.str()
    _, first, second = reports.split("MsGine requests of account")
    assert "warning:" not in first.partition("____")[0]
    assert "warning: number-not-mobile:" in second
    assert "unknown-field:" not in reports
    assert "bearer-missing:" not in reports


def test_an_unknown_code_in_the_ini_file_ends_the_session_in_one_sentence(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nmsgine_ignore_warnings = unknown-field colour")
    pytester.makepyfile("def test_nothing(): pass")
    ended = pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(
        ["ERROR: msgine_ignore_warnings: There is no warning colour; the codes are *."]
    )
