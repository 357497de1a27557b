"""The playground and coverage in the browser."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from browsing import Tab, new_tab
from command import LIMIT
from live import Live
from needs import require
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_the_playground_sends_and_shows_the_response_with_its_headers(tab: Tab) -> None:
    await tab.open("playground")
    await tab.find("token").fill(tab.client.token)
    await tab.find("field-message").fill("From the playground")
    await tab.find("send").click()
    await expect(tab.find("answer-status")).to_have_text("201")
    await expect(tab.find("answer-headers")).to_contain_text("x-ratelimit-remaining")
    await expect(tab.find("answer-body")).to_contain_text('"message": "From the playground"')
    await tab.find("nav-inbox").click()
    await expect(tab.find("row")).to_contain_text("From the playground")


async def test_a_call_that_there_is_not_is_not_in_the_title(tab: Tab) -> None:
    await tab.open("playground?call=push", all_accounts=True)
    await expect(tab.page).to_have_title(re.compile("Playground, push · msgine-sandbox$"))
    await tab.page.goto(f"{tab.client.origin}/#/playground?call=Session expired")
    await expect(tab.page).to_have_title(re.compile("Playground, sms · msgine-sandbox$"))
    await tab.find("call").select_option("email")
    await expect(tab.page).to_have_title(re.compile("Playground, email · msgine-sandbox$"))
    await tab.page.goto(f"{tab.client.origin}/#/playground?call=constructor")
    await expect(tab.find("call")).to_have_value("email")
    await expect(tab.page).to_have_title(re.compile("Playground, email · msgine-sandbox$"))


async def test_a_magic_number_is_picked(tab: Tab) -> None:
    await tab.open("playground")
    await tab.find("token").fill(tab.client.token)
    await tab.find("magic").select_option("+256700005030")
    await expect(tab.find("field-to")).to_have_value("+256700005030")
    await tab.find("send").click()
    await expect(tab.find("answer-status")).to_have_text("503")


OPERATIONS = {
    "messages": {},
    "developerSms": {"message": "Hi"},
    "email": {"subject": "Hi"},
    "push": {"data": '{"order": "1042"}'},
    "device": {"platform": "ios"},
    "smsHistory": {},
    "emailHistory": {},
    "pushHistory": {"page": "1"},
    "overview": {},
    "daily": {"days": "7"},
}


async def test_every_operation_can_be_sent(tab: Tab) -> None:
    await tab.open("playground")
    await tab.find("token").fill(tab.client.token)
    for operation, fields in OPERATIONS.items():
        await tab.find("call").select_option(operation)
        await expect(tab.find("answer-status")).to_have_count(0)
        for name, value in fields.items():
            await tab.find(f"field-{name}").fill(value)
        await tab.find("send").click()
        await expect(tab.find("answer-status")).to_have_text(re.compile(r"20[01]"))
    await tab.find("call").select_option("removal")
    await tab.find("send").click()
    await expect(tab.find("answer-body")).to_contain_text("Device removed")
    sent = tab.client.send()
    for operation in ("message", "any"):
        await tab.find("call").select_option(operation)
        await tab.find("field-id").fill(sent["id"])
        await tab.find("send").click()
        await expect(tab.find("answer-body")).to_contain_text(sent["id"])


IMPORT = 'import { MsGineClient } from "@msgine/sdk";'
INTERPRETERS = {
    "curl": ["bash"],
    "JavaScript": ["node", "--input-type=module", "-"],
    "Python": [sys.executable, "-"],
    "PHP": ["php"],
    "Ruby": ["ruby", "-"],
}


@pytest.mark.parametrize("language", INTERPRETERS)
async def test_the_request_is_the_same_in_every_language(tab: Tab, language: str) -> None:
    require(INTERPRETERS[language][0])
    text = 'It\'s 100 % "fine" \\ $HOME #{1} ê🎉'
    await tab.open("playground")
    await tab.find("token").fill(tab.client.token)
    await tab.find("field-message").fill(text)
    await tab.find("key").fill("the-same")
    await tab.find(f"language-{language}").click()
    snippet = await tab.find("snippet").inner_text()
    ended = subprocess.run(
        INTERPRETERS[language], input=snippet, capture_output=True, text=True, timeout=LIMIT
    )
    assert ended.returncode == 0, ended.stderr
    listed = tab.client.request("GET", "/_sandbox/messages").json()["data"]
    assert [each["message"] for each in listed] == [text]
    await tab.find("send").click()
    await expect(tab.find("answer-headers")).to_contain_text("idempotent-replayed")


# What the TypeScript SDK sends of each call, for a program that only has its name.
SDK = """
const path = (name, given) => {
  if (name === "sendSms") return ["POST", "/messages/sms", given];
  if (name === "messages.get") return ["GET", `/developers/${given}`];
  const [channel, call] = name.split(".");
  const device = { registerDevice: "POST", removeDevice: "DELETE" }[call];
  if (device) return [device, "/developers/push/device", given];
  if (call === "send") return ["POST", `/developers/${channel}`, given];
  return ["GET", `/developers/${channel}/${call}?${new URLSearchParams(given)}`];
};
export class MsGineClient {
  constructor({ apiToken, apiKey, baseUrl }) {
    const headers = apiKey ? { "X-Api-Key": apiKey } : { Authorization: apiToken };
    headers["Content-Type"] = "application/json";
    const call = async (name, given) => {
      const [method, place, body] = path(name, given);
      const sent = await fetch(baseUrl + place, { method, headers, body: JSON.stringify(body) });
      if (!sent.ok) throw new Error(`${name}: ${sent.status} ${await sent.text()}`);
      return sent.json();
    };
    this.sendSms = (given) => call("sendSms", given);
    for (const group of ["sms", "email", "push", "analytics", "messages"]) {
      this[group] = new Proxy({}, { get: (_, name) => (given) => call(`${group}.${name}`, given) });
    }
  }
}
"""


async def test_the_request_is_shown_as_a_call_of_the_typescript_sdk(
    tab: Tab, tmp_path: Path
) -> None:
    package = tmp_path / "node_modules" / "@msgine" / "sdk"
    package.mkdir(parents=True)
    (package / "index.js").write_text(SDK)
    (package / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    sent = tab.client.send(message="The first")
    await tab.open("playground")
    await tab.find("language-TypeScript SDK").click()
    snippets = []
    for call in ("sms", *OPERATIONS, "removal", "any"):
        await tab.find("call").select_option(call)
        for name, value in (OPERATIONS | {"any": {"id": sent["id"]}}).get(call, {}).items():
            await tab.find(f"field-{name}").fill(value)
        if call == "sms":
            await tab.find("field-to").fill("+256701234567,+256752345678")
            await tab.find("field-callbackUrl").fill("http://localhost:3000/hooks")
        snippets.append(await tab.find("snippet").inner_text())
    assert "It cannot send callbackUrl" in snippets[0]
    assert snippets[1] == "// The SDK has no such call."
    program = "\n".join(
        f"{{ {each.replace(IMPORT, '').replace('// 1.0', '').replace('// 2.0', '')} }}"
        for each in snippets
        if each.startswith(IMPORT)
    )
    file = tmp_path / "program.mjs"
    file.write_text(f"{IMPORT}\n{program}")
    ended = subprocess.run(["node", file], capture_output=True, text=True, timeout=LIMIT)
    assert ended.returncode == 0, ended.stderr
    listed = tab.client.request("GET", "/_sandbox/messages").json()["data"]
    assert [(each["channel"], each["to"]) for each in reversed(listed)][1:] == [
        ("sms", ["+256701234567"]),
        ("sms", ["+256752345678"]),
        ("sms", ["+256701234567"]),
        ("email", ["jane@example.com"]),
        ("push", ["user:user-1042"]),
    ]


async def test_what_is_typed_is_estimated_and_kept_and_the_message_is_followed(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live, viewport={"width": 1440, "height": 900}) as tab:
        tab.client.request("PATCH", "/_sandbox/account", json={"price": 7, "currency": "KES"})
        tab.client.post("/_sandbox/clock/freeze")
        await tab.open("playground?call=sms")
        await expect(tab.find("token")).to_have_value(tab.client.token)
        await tab.find("field-message").fill("ê" * 71)
        await expect(tab.find("estimate")).to_contain_text(
            "71 characters · 2 segments of UCS-2 · 1 recipient · 14 KES"
        )
        await tab.find("field-to").fill("0701234567")
        await expect(tab.find("estimate")).to_contain_text("refused: 400 invalid_phone_number")
        await tab.find("field-to").fill("+256700000001")
        await expect(tab.find("estimate")).to_contain_text("+256700000001: sent, then failed")
        assert tab.client.request("GET", "/_sandbox/messages").json()["total"] == 0

        await tab.find("call").select_option("email")
        await expect(tab.page).to_have_url(re.compile(r"#/playground\?call=email\b"))
        await expect(tab.page).to_have_title(re.compile("Playground, email"))
        await tab.find("field-subject").fill("Kept")
        await tab.find("nav-inbox").click()
        await tab.find("nav-playground").click()
        await expect(tab.find("field-subject")).to_have_value("Kept")
        await tab.page.reload()
        await expect(tab.find("field-subject")).to_have_value("Kept")

        await tab.find("send").click()
        await expect(tab.find("sent").get_by_test_id("status")).to_have_text("pending")
        await expect(tab.find("answer-status")).to_be_in_viewport()
        tab.client.post("/_sandbox/clock/advance", {"until": "idle"})
        await expect(tab.find("sent").get_by_test_id("status")).to_have_text("delivered")
        await tab.find("answer-body").get_by_role("link").click()
        await expect(tab.find("message")).to_contain_text("Kept")


async def test_a_token_that_the_page_does_not_know_has_to_be_entered(tab: Tab) -> None:
    tab.client.close()
    tab.client.use_token("a_secret_of_this_account")
    tab.client.request("GET", "/_sandbox/account")
    await tab.open("playground")
    await expect(tab.find("token")).to_have_value("")
    await expect(tab.find("playground")).to_contain_text("the page only knows a_sec…ount")
    await tab.find("token").fill(tab.client.token)
    await tab.find("send").click()
    await expect(tab.find("sent").get_by_test_id("status")).to_be_visible()


async def test_every_behaviour_that_is_not_met_has_a_way_to_it(tab: Tab) -> None:
    sent = tab.client.send(message="To be read")
    tab.client.request("GET", "/api/v1/developers/sms/history")
    unmet = tab.client.request("GET", "/_sandbox/coverage").json()["unmet"]
    await tab.open("coverage")
    await expect(tab.find("way")).to_have_count(len(unmet))
    for name, field, value in [
        ("503 service_unavailable", "field-to", "+256700005030"),
        ("200 message read", "field-id", sent["id"]),
        ("idempotent replay", "key", "order-1042"),
        ("a push that fails for some", "field-userIds", "user-1042,sandbox-bounce"),
    ]:
        await tab.page.get_by_role("button", name=f"Try {name}", exact=True).click()
        await expect(tab.find(field)).to_have_value(value)
        for _ in range(2):
            async with tab.page.expect_response("**/api/v1/**"):
                await tab.find("send").click()
            await expect(tab.find("answer-status")).to_be_visible()
        await tab.find("nav-coverage").click()
        await expect(tab.find("met")).to_contain_text(name)
    await tab.find("nav-playground").click()
    await tab.find("call").select_option("sms")
    await expect(tab.find("field-to")).to_have_value("+256701234567")


async def test_coverage_shows_met_and_unmet_behaviours(tab: Tab) -> None:
    await tab.open("coverage")
    await expect(tab.find("unmet")).to_contain_text("message accepted")
    tab.client.send()
    await expect(tab.find("met")).to_contain_text("message accepted")
    await expect(tab.find("percent")).not_to_have_text("0 %")
