"""HTTP of one library is replaced; the shop charges by that one and texts by another."""

import httpx
import pytest
import requests
import requests_mock as requests_mocking
import responses
import respx
from conftest import NUMBER
from shop import CHARGES, Shop

BOTH = ["message.sent", "message.delivered"]
CHARGE = {"id": "ch_1"}

without_httpx = pytest.mark.parametrize("library", ["requests", "urllib3", "urllib", "aiohttp"])
without_requests = pytest.mark.parametrize("library", ["httpx", "urllib3", "urllib", "aiohttp"])


def check_that_webhooks_come(msgine, receiver) -> None:
    msgine.clock.advance(seconds=3)
    assert receiver.events == BOTH
    assert [attempt.status for attempt in msgine.webhooks.attempts] == [200, 200]
    assert msgine.wait_for_message(to=NUMBER).status == "delivered"


@without_httpx
def test_the_fixture_of_respx(msgine, msgine_webhooks, respx_mock, library):
    respx_mock.post(CHARGES).respond(201, json=CHARGE)
    shop = Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by=library)
    assert shop.sell(NUMBER, 5000) == "ch_1"
    check_that_webhooks_come(msgine, msgine_webhooks)


@respx.mock
def test_the_decorator_of_respx(msgine, msgine_webhooks):
    respx.post(CHARGES).respond(201, json=CHARGE)
    shop = Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by="requests")
    assert shop.sell(NUMBER, 5000) == "ch_1"
    check_that_webhooks_come(msgine, msgine_webhooks)


def test_the_fixtures_are_first_requested_while_respx_is_active(request):
    with respx.mock() as mock:
        mock.post(CHARGES).respond(201, json=CHARGE)
        msgine = request.getfixturevalue("msgine")
        receiver = request.getfixturevalue("msgine_webhooks")
        Shop(msgine.base_url, msgine.token).sell(NUMBER, 5000)
        check_that_webhooks_come(msgine, receiver)


def test_respx_lets_the_sandbox_through_where_the_shop_texts_by_httpx(
    msgine, msgine_webhooks, respx_mock
):
    respx_mock.post(CHARGES).respond(201, json=CHARGE)
    texts = respx_mock.route(host="127.0.0.1").pass_through()
    Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by="httpx").sell(NUMBER, 5000)
    check_that_webhooks_come(msgine, msgine_webhooks)
    assert texts.called


@without_httpx
def test_the_fixture_of_pytest_httpx(msgine, msgine_webhooks, httpx_mock, library):
    httpx_mock.add_response(url=CHARGES, method="POST", json=CHARGE)
    shop = Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by=library)
    assert shop.sell(NUMBER, 5000) == "ch_1"
    check_that_webhooks_come(msgine, msgine_webhooks)
    assert [str(sent.url) for sent in httpx_mock.get_requests()] == [CHARGES]


@pytest.mark.httpx_mock(should_mock=lambda sent: sent.url.host != "127.0.0.1")
def test_pytest_httpx_lets_the_sandbox_through(msgine, msgine_webhooks, httpx_mock):
    httpx_mock.add_response(url=CHARGES, method="POST", json=CHARGE)
    Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by="httpx").sell(NUMBER, 5000)
    check_that_webhooks_come(msgine, msgine_webhooks)


@without_requests
def test_responses(msgine, msgine_webhooks, library):
    with responses.RequestsMock() as mock:
        mock.post(CHARGES, json=CHARGE, status=201)
        shop = Shop(msgine.base_url, msgine.token, pay_by="requests", text_by=library)
        assert shop.sell(NUMBER, 5000) == "ch_1"
        check_that_webhooks_come(msgine, msgine_webhooks)
        assert len(mock.calls) == 1


@responses.activate
def test_responses_lets_the_sandbox_through(msgine, msgine_webhooks):
    responses.post(CHARGES, json=CHARGE, status=201)
    responses.add_passthru(msgine.origin)
    Shop(msgine.base_url, msgine.token, pay_by="requests", text_by="requests").sell(NUMBER, 5000)
    check_that_webhooks_come(msgine, msgine_webhooks)


@without_requests
def test_requests_mock(msgine, msgine_webhooks, requests_mock, library):
    requests_mock.post(CHARGES, json=CHARGE, status_code=201)
    shop = Shop(msgine.base_url, msgine.token, pay_by="requests", text_by=library)
    assert shop.sell(NUMBER, 5000) == "ch_1"
    check_that_webhooks_come(msgine, msgine_webhooks)
    assert requests_mock.call_count == 1


def test_requests_mock_lets_the_sandbox_through(msgine, msgine_webhooks):
    with requests_mocking.Mocker(real_http=True) as mock:
        mock.post(CHARGES, json=CHARGE, status_code=201)
        shop = Shop(msgine.base_url, msgine.token, pay_by="requests", text_by="requests")
        shop.sell(NUMBER, 5000)
        check_that_webhooks_come(msgine, msgine_webhooks)


def test_a_transport_that_fails_is_put_into_httpx(msgine, msgine_webhooks, shop, monkeypatch):
    def refuse(*_: object) -> httpx.Response:
        raise httpx.ConnectError("no network in these tests")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refuse)
    monkeypatch.setattr(requests.Session, "send", refuse)
    shop.text(NUMBER, "Hello")
    check_that_webhooks_come(msgine, msgine_webhooks)
