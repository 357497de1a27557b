"""The playground and coverage in the browser."""

import re
import subprocess
import sys

import pytest
from browsing import Tab
from command import LIMIT
from playwright.async_api import expect

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


INTERPRETERS = {
    "curl": ["bash"],
    "JavaScript": ["node", "--input-type=module", "-"],
    "Python": [sys.executable, "-"],
    "PHP": ["php"],
    "Ruby": ["ruby", "-"],
}


@pytest.mark.parametrize("language", INTERPRETERS)
async def test_the_request_is_the_same_in_every_language(tab: Tab, language: str) -> None:
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


async def test_coverage_shows_met_and_unmet_behaviours(tab: Tab) -> None:
    await tab.open("coverage")
    await expect(tab.find("unmet")).to_contain_text("message accepted")
    tab.client.send()
    await expect(tab.find("met")).to_contain_text("message accepted")
    await expect(tab.find("percent")).not_to_have_text("0 %")
