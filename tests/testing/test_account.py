"""Accounts of the Python client: settings, requests, coverage, webhook endpoints."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from client_sends import NUMBER, post_sms, send_sms

from msgine_sandbox.testing import (
    Account,
    Endpoint,
    SandboxError,
)


def test_prices_of_the_developers_api_are_changed_by_channel(account: Account) -> None:
    settings = account.change(developer_prices={"email": Decimal("0.5")})
    assert settings.developer_prices == {"sms": 30, "email": Decimal("0.5"), "push": 0}


# Settings, requests, coverage


def test_the_settings_of_an_account_are_changed(account: Account) -> None:
    terms = account.change(
        tier="professional", per_second=5, sender_id="Shop", price=Decimal("30"), currency="UGX"
    )
    assert terms == account.settings
    assert (terms.tier, terms.per_minute, terms.per_second) == ("professional", 500, 5)
    assert (terms.sender_id, terms.price, terms.currency) == ("Shop", Decimal(30), "UGX")
    assert account.change(name="Checkout").name == "Checkout"
    assert account.change(tier="free").name == "Checkout"
    assert account.change(name="").name is None
    assert account.change(scopes=["READ_MESSAGES"]).scopes == ("READ_MESSAGES",)
    assert post_sms(account).status_code == 403


def test_an_account_is_saved_and_loaded_again(account: Account, tmp_path: Path) -> None:
    account.clock.freeze()
    account.change(sender_id="Shop")
    account.faults.delivery("pending", times=1)
    send_sms(account)
    account.clock.advance(seconds=1)
    scenario = account.scenario
    file = tmp_path / "account.json"
    file.write_text(json.dumps(scenario))
    copy = account.another()
    for each in (scenario, file, str(file)):
        copy.load(each)
        assert [message.status for message in copy.messages] == ["pending"]
        assert copy.settings.sender_id == "Shop"
        assert copy.scenario["accounts"][0] | {"token": account.token} == scenario["accounts"][0]


def test_a_scenario_that_is_refused_changes_nothing(account: Account) -> None:
    send_sms(account)
    with pytest.raises(SandboxError) as refused:
        account.load({"accounts": [{"messages": [{"to": NUMBER, "message": ""}]}]})
    assert refused.value.details["field"] == "accounts[0].messages[0].message"
    assert len(account.messages) == 1


def test_the_journal_has_requests_and_responses(account: Account) -> None:
    post_sms(account, "0701234567")
    send_sms(account)
    newest, oldest = account.requests
    assert (newest.method, newest.path, newest.status) == ("POST", "/api/v1/messages/sms", 201)
    assert newest.response is not None
    assert newest.response.json()["status"] == "pending"
    assert oldest.request.json()["to"] == "0701234567"
    assert newest.message_id == account.messages[0].id
    assert [each.status for each in account.requests.list(status="4xx")] == [400]
    assert account.requests.clear() == 2
    assert len(account.requests) == 0


def test_a_correct_request_has_no_warnings_and_others_have(account: Account) -> None:
    send_sms(account)
    assert account.requests.warnings == []
    headers = {"Authorization": f"Bearer {account.token}"}
    body = {"to": NUMBER, "message": "Hello", "sender": "Shop"}
    httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)
    [warning] = account.requests.warnings
    assert warning.code == "unknown-field"
    assert "sender" in warning.message
    assert warning.request_id == account.requests[0].id
    assert account.requests.list(warning="unknown-field")[0].warnings == (warning,)


def test_coverage_grows_with_the_behaviours_that_are_met(account: Account) -> None:
    before = account.coverage
    assert before.met == ()
    send_sms(account)
    after = account.coverage
    assert after.met
    assert {*after.met, *after.unmet} == {*before.unmet}
    assert 0 < after.percent < 100
    account.reset()
    assert account.coverage.met == ()
    assert {*after.met} <= {*account.server.coverage.met}


# Webhook endpoints


def test_endpoints_are_set_and_read(account: Account) -> None:
    assert account.webhooks.endpoints == []
    first = account.webhooks.listen("http://127.0.0.1:9/a", events=["message.failed"])
    second = account.webhooks.listen("http://127.0.0.1:9/b")
    assert account.webhooks.endpoints == [first, second]
    account.webhooks.listen("http://127.0.0.1:9/a", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert [each.url for each in account.webhooks.endpoints] == [second.url, first.url]
    rotated = Endpoint("http://127.0.0.1:9/d", secret="whsec_bmV3", previous_secret="whsec_b2xk")
    account.webhooks.endpoints = [rotated]
    assert account.webhooks.endpoints == [rotated]
    account.webhooks.endpoints = [Endpoint("http://127.0.0.1:9/c")]
    assert [each.url for each in account.webhooks.endpoints] == ["http://127.0.0.1:9/c"]


# Several accounts


def test_accounts_do_not_see_each_other(account: Account) -> None:
    other = account.another()
    assert other.token != account.token
    send_sms(account)
    other.clock.advance(hours=1)
    other.faults.fail()
    assert (len(account.messages), len(other.messages)) == (1, 0)
    assert account.clock.now < other.clock.now
    assert post_sms(account).status_code == 201
    assert account.another(account.token).messages[0].to == (NUMBER,)


def test_a_reset_makes_an_account_as_new(account: Account) -> None:
    send_sms(account)
    account.clock.advance(days=3)
    account.faults.fail()
    account.reset()
    assert (len(account.messages), len(account.faults)) == (0, 0)
    assert account.clock.now - datetime.now(UTC) < timedelta(hours=1)


def test_threads_share_an_account(account: Account) -> None:
    account.change(tier="unlimited")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: send_sms(account, f"+25670100{at:04d}"), range(40)))
        found = pool.map(lambda at: account.wait_for_message(to=f"+25670100{at:04d}"), range(40))
        assert len({message.id for message in found}) == 40
