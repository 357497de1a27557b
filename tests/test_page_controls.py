"""Clock, faults, account and reset in the browser."""

import pytest
from browsing import Scene
from playwright.async_api import expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_fault_that_is_added_here_hits_a_client(scene: Scene) -> None:
    await scene.open("controls")
    await scene.at("fault-status").fill("502")
    await scene.at("fault-times").fill("1")
    await scene.at("fault-add").click()
    await expect(scene.at("faults").locator("li")).to_contain_text("1 left")
    answer = scene.client.request("POST", "/api/v1/messages/sms", json={})
    assert answer.status_code == 502
    await expect(scene.at("faults").locator("li")).to_contain_text("0 left")
    await scene.at("fault-remove").click()
    await expect(scene.at("faults").locator("li")).to_have_count(0)
    assert scene.client.send()["status"] == "pending"


async def test_time_that_is_advanced_here_delivers_what_waits(scene: Scene) -> None:
    await scene.open("controls")
    await expect(scene.at("frozen")).to_have_count(0)
    await scene.at("freeze").click()
    await expect(scene.at("frozen")).to_contain_text("The clock is frozen")
    sent = scene.client.send()
    await scene.at("advance-amount").fill("5")
    await scene.at("advance-unit").select_option("seconds")
    await scene.at("advance").click()
    await expect(scene.at("notice")).to_contain_text("2 steps happened")
    read = scene.client.request("GET", f"/api/v1/messages/{sent['id']}").json()
    assert read["status"] == "delivered"
    await expect(scene.at("clock")).to_contain_text("ahead")
    await scene.at("resume").click()
    await expect(scene.at("frozen")).to_have_count(0)


async def test_an_account_is_seen_and_changed(scene: Scene) -> None:
    await scene.open("controls")
    await scene.at("tier").select_option("free")
    await expect(scene.at("windows")).to_contain_text("60 of 60 requests left")
    scene.client.send()
    await scene.page.get_by_label("SEND_SMS").check()
    await scene.page.get_by_label("FULL_ACCESS").uncheck()
    await scene.page.get_by_label("Sender ID").fill("Kampala")
    await scene.at("save-account").click()
    await expect(scene.at("notice")).to_contain_text("changed")
    account = scene.client.request("GET", "/_sandbox/account").json()
    assert (account["senderId"], account["scopes"]) == ("Kampala", ["SEND_SMS"])


async def test_what_is_refused_is_said(scene: Scene) -> None:
    await scene.open("controls")
    await scene.page.get_by_label("Sender ID").fill("no spaces")
    await scene.at("save-account").click()
    await expect(scene.at("notice")).to_contain_text("Sender ID must be alphanumeric")


async def test_a_reset_is_asked_for_twice(scene: Scene) -> None:
    scene.client.send()
    await scene.open("controls")
    await scene.at("reset").click()
    await scene.at("reset-really").click()
    await scene.at("nav-inbox").click()
    await expect(scene.at("empty")).to_be_visible()
    assert scene.client.request("GET", "/_sandbox/messages").json()["total"] == 0
