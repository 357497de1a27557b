"""Clock, faults, account and reset in the browser."""

import json
from typing import Any

import pytest
from browsing import Client, Tab
from playwright.async_api import Route, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_fault_that_is_added_here_applies_to_a_client(tab: Tab) -> None:
    await tab.open("controls")
    await tab.find("fault-status").fill("502")
    await tab.find("fault-times").fill("1")
    await tab.find("fault-add").click()
    await expect(tab.find("faults").locator("li")).to_contain_text("1 of 1 left")
    answer = tab.client.request("POST", "/api/v1/messages/sms", json={})
    assert answer.status_code == 502
    await expect(tab.find("faults").locator("li.spent")).to_contain_text("spent, applied 1 time")
    await tab.find("fault-remove").click()
    await expect(tab.find("faults").locator("li")).to_have_count(0)
    assert tab.client.send()["status"] == "pending"


BOXES = """(form) => [...form.querySelectorAll("label")].map((label) => {
  const field = label.querySelector("input, select").getBoundingClientRect();
  const range = document.createRange();
  range.selectNode([...label.childNodes].find(({ data }) => data?.trim()));
  const text = range.getBoundingClientRect();
  const all = label.getBoundingClientRect();
  return [all.bottom, text.top, field.top, (text.top + text.bottom - field.top - field.bottom) / 2];
})"""


async def test_fields_on_a_line_and_their_labels_are_at_one_height(tab: Tab) -> None:
    await tab.open("controls")
    form = tab.page.locator("form", has=tab.find("fault-add"))
    heights: dict[int, set[tuple[int, int]]] = {}
    for bottom, text_top, field_top, difference in await form.evaluate(BOXES):
        if text_top < field_top:
            heights.setdefault(round(bottom), set()).add((round(text_top), round(field_top)))
        else:  # a checkbox has its text beside it
            assert abs(difference) <= 1
    assert [len(each) for each in heights.values()] == [1, 1, 1, 1]


async def test_a_fault_can_leave_out_the_envelope(tab: Tab) -> None:
    await tab.open("controls")
    await tab.find("fault-kind").select_option(label="error response without the envelope")
    await tab.find("fault-status").fill("400")
    await tab.find("fault-add").click()
    await expect(tab.find("faults").locator("li")).to_contain_text(
        "Requests: error response without the envelope 400"
    )
    answer = tab.client.request("POST", "/api/v1/messages/sms", json={})
    assert answer.json() == {"message": "The request is invalid"}


async def test_a_fault_can_decide_deliveries(tab: Tab) -> None:
    await tab.open("controls")
    await tab.find("fault-kind").select_option(label="failed without being sent")
    await tab.find("fault-reason").fill("The recipient has opted out")
    await tab.find("fault-channel").select_option("sms")
    await tab.find("fault-add").click()
    await expect(tab.find("faults").locator("li")).to_contain_text(
        "Deliveries: failed without being sent, The recipient has opted out sms"
    )
    sent = tab.client.send()
    await expect(tab.find("faults").locator("li")).to_contain_text("applied 1 time")
    await tab.find("fault-kind").select_option(label="stay pending")
    await expect(tab.find("fault-reason")).to_have_count(0)
    assert sent["status"] == "pending"


FIELDS = {"status": "503", "code": "service_unavailable", "retryAfter": "2", "delay": "0.1"}
FIELDS |= {"to": "+25670*", "path": "/messages/*", "times": "3", "probability": "50", "seed": "7"}


async def test_a_fault_can_have_every_field_that_the_control_api_has(tab: Tab) -> None:
    await tab.open("controls")
    for name, value in FIELDS.items():
        await tab.find(f"fault-{name}").fill(value)
    await tab.find("fault-commit").check()
    await tab.find("fault-method").select_option("POST")
    await tab.find("fault-add").click()
    row = tab.find("faults").locator("li")
    await expect(row).to_contain_text(
        "Requests: error response 503, service_unavailable, Retry-After 2 s, 0.1 s late,"
        " request processed first POST /messages/* to +25670*"
    )
    await expect(row).to_contain_text("3 of 3 left, applied 0 times, with a probability of 50 %")
    await tab.find("fault-kind").select_option(label="sent late")
    await tab.find("fault-delay").fill("60")
    await tab.find("fault-event").select_option("message.sent")
    await tab.find("fault-times").fill("")
    await tab.find("fault-add").click()
    await expect(row).to_have_count(2)
    await expect(row.last).to_contain_text("Webhooks: sent late, 60 s message.sent to")
    first, second = tab.client.request("GET", "/_sandbox/faults").json()["data"]
    assert first["effect"] == {
        "status": 503,
        "code": "service_unavailable",
        "retryAfter": 2,
        "delay": 0.1,
        "commit": True,
    }
    assert first["match"] == {"method": "POST", "path": "/messages/*", "to": "+25670*"}
    assert (first["times"], first["probability"], first["seed"]) == (3, 0.5, 7)
    assert second["effect"] == {"webhook": "delay", "delay": 60}
    assert second["match"] == {"event": "message.sent", "to": "+25670*"}
    # Of all accounts, it is said whose they are.
    await tab.find("all-accounts").click()
    await expect(tab.find("faults")).to_contain_text(f", {tab.client.token}, {first['id']}")


async def test_what_decided_about_a_request_is_said_in_words(tab: Tab) -> None:
    tab.client.post("/_sandbox/faults", {"effect": {"status": 502}, "times": 1})
    for to in ("+256701234567", "+256700005031"):
        tab.client.request("POST", "/api/v1/messages/sms", json={"to": to, "message": "Hi"})
    await tab.open("requests")
    await tab.find("request-row").first.click()
    decisions = tab.find("decisions")
    await expect(decisions).to_contain_text("Magic number +256700005031: error response 503")
    await tab.find("request-row").last.click()
    await expect(decisions).to_contain_text(": error response 502")
    await decisions.get_by_role("link", name="flt_").click()
    await expect(tab.find("faults")).to_contain_text("Requests: error response 502")
    await expect(tab.find("faults")).to_contain_text("Magic number +256700005031")


async def test_advancing_the_clock_here_delivers_messages(tab: Tab) -> None:
    await tab.open("controls")
    await expect(tab.find("frozen")).to_have_count(0)
    await tab.find("freeze").click()
    await expect(tab.find("frozen")).to_contain_text("The clock is frozen")
    sent = tab.client.send()
    await tab.find("advance-amount").fill("5")
    await tab.find("advance-unit").select_option("seconds")
    await tab.find("advance").click()
    await expect(tab.find("notice")).to_contain_text("2 steps ran")
    read = tab.client.request("GET", f"/api/v1/messages/{sent['id']}").json()
    assert read["status"] == "delivered"
    await expect(tab.find("clock")).to_contain_text("ahead")
    await tab.find("resume").click()
    await expect(tab.find("frozen")).to_have_count(0)


async def test_an_account_is_shown_and_changed(tab: Tab) -> None:
    await tab.open("controls")
    await tab.find("tier").select_option("free")
    await expect(tab.find("windows")).to_contain_text("60 of 60 requests left")
    tab.client.send()
    await tab.page.get_by_label("SEND_SMS").check()
    await tab.page.get_by_label("FULL_ACCESS").uncheck()
    await tab.page.get_by_label("Sender ID").fill("Kampala")
    async with tab.page.expect_response("**/_sandbox/account"):  # the tier's notice is still there
        await tab.find("save-account").click()
    await expect(tab.find("notice")).to_contain_text("changed")
    account = tab.client.request("GET", "/_sandbox/account").json()
    assert (account["senderId"], account["scopes"]) == ("Kampala", ["SEND_SMS"])


async def test_what_the_server_defines_can_be_chosen(tab: Tab) -> None:
    async def add_definitions(route: Route) -> None:
        response = await route.fetch()
        found = await response.json()
        found["tiers"].append("gold")
        found["scopes"].append("SEND_VOICE")
        found["channels"].append({"name": "voice", "title": "Voice call"})
        found["events"].append("message.heard")
        found["warnings"].append({"code": "too-loud", "advice": "Speak softly."})
        await route.fulfill(response=response, json=found)

    await tab.page.route("**/_sandbox/definitions", add_definitions)
    await tab.open("controls")
    await expect(tab.find("tier").locator("option")).to_contain_text(["gold"])
    await expect(tab.page.get_by_label("SEND_VOICE")).not_to_be_checked()
    await expect(tab.page.get_by_label("Developers API price, Voice call")).to_be_visible()
    await tab.find("nav-webhooks").click()
    await expect(tab.page.get_by_role("checkbox", name="message.heard")).to_be_checked()
    await tab.find("nav-requests").click()
    await expect(tab.find("filter-warning").locator("option")).to_contain_text(["too-loud"])


async def test_a_refused_change_is_explained(tab: Tab) -> None:
    await tab.open("controls")
    await tab.page.get_by_label("Sender ID").fill("no spaces")
    await tab.find("save-account").click()
    await expect(tab.find("notice")).to_contain_text("Sender ID must be alphanumeric")


async def test_a_reset_has_to_be_confirmed(tab: Tab) -> None:
    tab.client.send()
    await tab.open("controls")
    await tab.find("reset").click()
    await tab.find("reset-really").click()
    await tab.find("nav-inbox").click()
    await expect(tab.find("empty")).to_be_visible()
    assert tab.client.request("GET", "/_sandbox/messages").json()["total"] == 0


async def test_the_clock_is_moved_to_a_time_to_what_is_next_and_until_nothing_is_due(
    tab: Tab,
) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send("+256700000005", "Slowly")
    await tab.open("controls")
    await tab.find("advance-next").click()
    await expect(tab.find("notice")).to_contain_text("1 step ran")
    async with tab.page.expect_response("**/clock/advance"):
        await tab.find("advance-idle").click()
    [message] = tab.client.request("GET", "/_sandbox/messages").json()["data"]
    assert message["status"] == "delivered"
    year = int(tab.client.request("GET", "/_sandbox/clock").json()["now"][:4]) + 2
    await tab.find("advance-to").fill(f"{year}-01-01T06:00:00")
    await tab.find("advance-there").click()
    await expect(tab.find("clock-facts")).to_contain_text(f"{year}-01-01 06:00:00")


async def test_only_the_messages_are_deleted(tab: Tab) -> None:
    tab.client.send(message="Hello")
    tab.client.post("/_sandbox/faults", {"effect": {"status": 503}, "times": 1})
    tab.client.request("GET", "/api/v1/messages")
    await tab.open("controls")
    await expect(tab.find("faults")).to_contain_text("spent")
    await tab.find("empty-inbox").click()
    await tab.find("empty-inbox-really").click()
    await expect(tab.find("notice")).to_contain_text("The inbox is empty")
    assert tab.client.request("GET", "/_sandbox/messages").json()["total"] == 0
    assert tab.client.request("GET", "/_sandbox/requests").json()["total"] == 2
    await expect(tab.find("faults").locator("li")).to_have_count(1)


async def test_an_account_is_saved_as_a_scenario_and_its_messages_as_json(tab: Tab) -> None:
    for number in range(3):
        tab.client.send(message=f"Number {number}")
    tab.client.post("/_sandbox/faults", {"effect": {"status": 503}})
    await tab.open("controls")
    scenario = await saved(tab, "save-scenario")
    [account] = scenario["accounts"]
    assert [each["message"] for each in account["messages"]] == ["Number 0", "Number 1", "Number 2"]
    restored = Client(tab.client.origin)
    assert restored.request("PUT", "/_sandbox/scenario", json=scenario).is_success
    assert restored.request("GET", "/_sandbox/faults").json()["total"] == 1
    restored.close()
    messages = await saved(tab, "save-messages")
    assert [each["message"] for each in messages] == ["Number 2", "Number 1", "Number 0"]
    await tab.find("all-accounts").click()
    await expect(tab.find("save-scenario")).to_be_disabled()  # it is that of one account


async def saved(tab: Tab, button: str) -> Any:
    """Return the content of the JSON file that a button saves."""
    async with tab.page.expect_download() as download:
        await tab.find(button).click()
    return json.loads((await (await download.value).path()).read_text())
