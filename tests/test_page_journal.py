"""Requests and webhooks in the browser."""

import pytest
from browsing import Scene
from playwright.async_api import expect
from receiver import Receiver

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_requests_are_found_by_status_and_warning_and_say_what_to_do(scene: Scene) -> None:
    scene.client.send()
    scene.client.send(priority=1)
    scene.client.request("POST", "/api/v1/messages/sms", json={"to": "0701"})
    await scene.open("requests")
    await expect(scene.at("request-row")).to_have_count(3)
    await scene.at("filter-status").select_option("4xx")
    await expect(scene.at("request-row")).to_have_count(1)
    await scene.at("filter-status").select_option("")
    await scene.at("filter-warning").select_option("unknown-field")
    await scene.at("request-row").click()
    request = scene.at("request")
    await expect(request).to_contain_text("ignores: priority")
    await expect(request).to_contain_text("Check the spelling")
    assert scene.client.token not in await scene.page.content()


async def test_an_endpoint_is_added_told_and_told_again(scene: Scene, receiver: Receiver) -> None:
    await scene.open("webhooks")
    await scene.at("endpoint-url").fill(receiver.url)
    await scene.page.get_by_role("button", name="Add the endpoint").click()
    await expect(scene.at("endpoints")).to_contain_text(receiver.url)
    scene.client.send()
    scene.client.post("/_sandbox/clock/advance", {"seconds": 3})
    tries = scene.at("attempts").locator("> li")
    await expect(tries).to_have_count(2)
    await tries.first.get_by_role("button", name="Send again").click()
    await expect(tries).to_have_count(3)
    assert len(receiver.heard) == 3
    await scene.at("endpoints").get_by_role("button").click()
    await expect(scene.at("endpoints").locator("li")).to_have_count(0)


async def test_what_was_sent_is_shown_as_it_was_and_nothing_is_hidden(scene: Scene) -> None:
    text = '{"to":"+256701234567","message":"J \u202eevil\u200b","n":12345678901234567890,"f":1.10}'
    headers = {"Content-Type": "application/json"}
    scene.client.request("POST", "/api/v1/messages/sms", content=text.encode(), headers=headers)
    await scene.open("requests")
    await scene.at("request-row").click()
    request = scene.at("request")
    await request.get_by_text("Request", exact=True).last.click()
    body = request.locator("pre").first
    await expect(body.locator(".sign")).to_have_text(["U+202E", "U+200B"])
    for shown in ('"n": 12345678901234567890', '"f": 1.10'):
        await expect(body).to_contain_text(shown)


async def test_an_endpoint_of_somebody_else_stays(scene: Scene) -> None:
    await scene.open("webhooks")
    other = {"endpoints": [{"url": "http://localhost:9/other"}]}
    scene.client.request("PUT", "/_sandbox/webhooks", json=other)
    await scene.at("endpoint-url").fill("http://localhost:9/mine")
    await scene.page.get_by_role("button", name="Add the endpoint").click()
    await expect(scene.at("endpoints").locator("li")).to_have_count(2)
