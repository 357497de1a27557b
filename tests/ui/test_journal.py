"""Requests in the browser."""

import re

import pytest
from browsing import Tab
from playwright.async_api import expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_requests_are_filtered_by_status_and_warning_and_show_advice(tab: Tab) -> None:
    tab.client.send()
    tab.client.send(priority=1)
    tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701"})
    await tab.open("requests")
    await expect(tab.find("request-row")).to_have_count(3)
    await tab.find("filter-status").select_option("4xx")
    await expect(tab.find("request-row")).to_have_count(1)
    await tab.find("filter-status").select_option("")
    await tab.find("filter-warning").select_option("unknown-field")
    await tab.find("request-row").click()
    request = tab.find("request")
    await expect(request).to_contain_text("ignores: priority")
    await expect(request).to_contain_text("Check the spelling")


async def test_a_body_is_shown_as_it_was_sent_with_invisible_characters_labelled(tab: Tab) -> None:
    text = '{"to":"+256701234567","message":"J \u202eevil\u200b","n":12345678901234567890,"f":1.10}'
    headers = {"Content-Type": "application/json"}
    tab.client.request("POST", "/api/v1/messages/sms", content=text.encode(), headers=headers)
    await tab.open("requests")
    await tab.find("request-row").click()
    request = tab.find("request")
    await request.get_by_text("Request", exact=True).last.click()
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
    times = tab.find("request-row").locator(".when")
    await expect(times).to_have_text([re.compile(r"^\d{4}-\d\d-\d\d "), re.compile(r"^\d\d:")])
