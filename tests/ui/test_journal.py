"""Requests in the browser."""

import json
import re

import pytest
from browsing import Tab, copied, run_shell
from playwright.async_api import expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_requests_are_filtered_by_status_and_warning_and_show_advice(tab: Tab) -> None:
    tab.client.send()
    tab.client.send(priority=1)
    tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701"})
    await tab.open("requests")
    await expect(tab.find("request-row")).to_have_count(3)
    times = [await each.bounding_box() for each in await tab.page.locator(".row time").all()]
    assert len({each and each["x"] for each in times}) == 1  # with and without a warning
    await tab.find("filter-status").select_option("4xx")
    await expect(tab.find("request-row")).to_have_count(1)
    await tab.find("filter-status").select_option("")
    await tab.find("filter-warning").select_option("unknown-field")
    await tab.find("request-row").click()
    request = tab.find("request")
    await expect(request).to_contain_text("ignores: priority")
    await expect(request.get_by_test_id("warnings").locator("p")).to_contain_text(
        "Check the spelling"
    )
    await expect(request).to_contain_text("Rate limit: admitted, no limit")


async def test_an_address_without_the_id_of_a_request_says_so(tab: Tab) -> None:
    tab.client.send()
    await tab.open("requests")
    await tab.page.goto(f"{tab.client.origin}/#/requests/req_12")
    await expect(tab.page.get_by_text("This request does not exist")).to_be_visible()
    await expect(tab.find("request-row")).to_have_count(1)


async def test_a_row_says_why_a_request_was_refused_and_the_search_finds_it(tab: Tab) -> None:
    tab.client.send("+256701234567", "Fine")
    refused = {"to": ["0701234567", "+256701234560"], "message": "Hello"}
    key = {"Idempotency-Key": "order-1042"}
    tab.client.request("POST", "/api/v1/messages/sms", json=refused, headers=key)
    tab.client.request("GET", "/api/v1/messages/msg_0")
    await tab.open("requests", all_accounts=True)
    row = tab.find("request-row").filter(has_text=tab.client.token).nth(1)
    for text in (
        "400 POST /messages/sms",
        "0701234567 and 1 more",
        "invalid_phone_number",
        'to "0701234567": The phone number must be in E.164 format',
        "expected +[country code][number]",
        " ms",
    ):
        await expect(row).to_contain_text(text)
    await tab.choose_account()
    for query, count in {
        "invalid_phone": 1,
        "order-1042": 1,
        "E.164 -0701234567": 0,
        f"{tab.client.token} messages": 3,
        "status:40": 2,
        "is:refused": 2,
        "-is:refused": 1,
        "to:+25670123": 2,
        "from:Shop": 0,
    }.items():
        await tab.find("search").fill(query)
        await expect(tab.find("request-row")).to_have_count(count)
    await tab.page.get_by_role("link", name="Show all requests").click()
    await tab.find("filter-method").select_option("GET")
    await expect(tab.find("request-row")).to_have_count(1)
    await tab.page.reload()
    await expect(tab.find("filter-method")).to_have_value("GET")
    await expect(tab.find("request-row")).to_contain_text("404 GET /messages/msg_0")
    await expect(tab.find("request-row")).to_have_count(1)


async def test_a_refused_request_is_copied_and_opened_in_the_playground(tab: Tab) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    body = {"to": "0701234567", "message": 'It\'s "here"', "priority": 1}
    key = {"Idempotency-Key": "order-1042"}
    tab.client.request("POST", "/api/v1/messages/sms?a=[1]", json=body, headers=key)
    await tab.open("requests")
    await tab.find("request-row").click()
    refusal = tab.find("refusal")
    for text in ("invalid_phone_number", "0701234567", "+[country code][number]"):
        await expect(refusal).to_contain_text(text)
    pane = tab.find("request")
    await expect(pane.locator(".json-name").first).to_have_text('"to"')
    await expect(pane.locator(".json-literal").first).to_have_text("1")
    assert json.loads(await copied(tab, "copy-body")) == body
    run_shell(await copied(tab, "copy-curl"))
    await expect(tab.find("request-row")).to_have_count(2)
    again, first = tab.client.request("GET", "/_sandbox/requests").json()["data"]
    assert (again["key"], again["query"]) == ("order-1042", "a=%5B1%5D")
    assert again["request"]["body"] == first["request"]["body"]
    await pane.get_by_text("Response", exact=True).click()  # what is closed stays closed
    await tab.page.keyboard.press("k")
    await expect(pane).to_contain_text(again["id"])
    await expect(pane.locator("details")).to_have_count(2)
    await expect(pane.locator("details[open]")).to_have_count(1)
    await tab.find("open-playground").click()
    for name, value in {"to": "0701234567", "message": body["message"]}.items():
        await expect(tab.find(f"field-{name}")).to_have_value(value)
    await expect(tab.find("token")).to_have_value(tab.client.token)
    await expect(tab.find("key")).to_have_value("order-1042")
    await expect(tab.find("notice")).to_contain_text("no field for priority")
    await tab.find("call").select_option("email")
    await expect(tab.find("field-subject")).to_be_visible()
    await tab.page.reload()
    await expect(tab.find("field-subject")).to_be_visible()
    await tab.page.go_back()
    await expect(tab.find("field-to")).to_have_value("0701234567")


async def test_a_body_is_shown_as_it_was_sent_with_invisible_characters_labelled(tab: Tab) -> None:
    text = '{"to":"+256701234567","message":"J \u202eevil\u200b","n":12345678901234567890,"f":1.10}'
    headers = {"Content-Type": "application/json"}
    tab.client.request("POST", "/api/v1/messages/sms", content=text.encode(), headers=headers)
    await tab.open("requests")
    await tab.find("request-row").click()
    request = tab.find("request")
    body = request.locator("pre").first
    await expect(body.locator(".code-point")).to_have_text(["U+202E", "U+200B"])
    for shown in ('"n": 12345678901234567890', '"f": 1.10'):
        await expect(body).to_contain_text(shown)


async def test_an_open_request_shows_the_warning_that_its_webhook_gives_it(tab: Tab) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send(callbackUrl="http://localhost:9/")
    await tab.open("requests")
    await tab.find("request-row").click()
    request = tab.find("request")
    await expect(request).to_contain_text("Decisions")
    await expect(request.get_by_test_id("warnings")).to_have_count(0)
    tab.client.post("/_sandbox/clock/advance", {"seconds": 1})
    await expect(request.get_by_test_id("warnings")).to_contain_text("webhook-failed")


async def test_a_request_of_another_day_has_its_date(tab: Tab) -> None:
    tab.client.send(message="Today")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3 * 86400})
    tab.client.send(message="In three days")
    await tab.open("requests")
    times = tab.find("request-row").locator(".when time")
    await expect(times).to_have_text([re.compile(r"^\d{4}-\d\d-\d\d "), re.compile(r"^\d\d:")])
