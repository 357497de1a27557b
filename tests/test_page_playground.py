"""The playground and coverage in the browser."""

import re
import subprocess
import sys

import pytest
from browsing import Scene
from playwright.async_api import expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_the_playground_sends_and_shows_the_answer_with_its_headers(scene: Scene) -> None:
    await scene.open("playground")
    await scene.at("token").fill(scene.client.token)
    await scene.at("field-message").fill("From the playground")
    await scene.at("send").click()
    await expect(scene.at("answer-status")).to_have_text("201")
    await expect(scene.at("answer-headers")).to_contain_text("x-ratelimit-remaining")
    await expect(scene.at("answer-body")).to_contain_text('"message": "From the playground"')
    await scene.at("nav-inbox").click()
    await expect(scene.at("row")).to_contain_text("From the playground")


async def test_a_magic_number_is_picked(scene: Scene) -> None:
    await scene.open("playground")
    await scene.at("token").fill(scene.client.token)
    await scene.at("magic").select_option("+256700005030")
    await expect(scene.at("field-to")).to_have_value("+256700005030")
    await scene.at("send").click()
    await expect(scene.at("answer-status")).to_have_text("503")


PLAYED = {
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


async def test_every_call_can_be_made(scene: Scene) -> None:
    await scene.open("playground")
    await scene.at("token").fill(scene.client.token)
    for call, fields in PLAYED.items():
        await scene.at("call").select_option(call)
        await expect(scene.at("answer-status")).to_have_count(0)
        for name, value in fields.items():
            await scene.at(f"field-{name}").fill(value)
        await scene.at("send").click()
        await expect(scene.at("answer-status")).to_have_text(re.compile(r"20[01]")), call
    await scene.at("call").select_option("removal")
    await scene.at("send").click()
    await expect(scene.at("answer-body")).to_contain_text("Device removed")
    sent = scene.client.send()
    for call in ("message", "any"):
        await scene.at("call").select_option(call)
        await scene.at("field-id").fill(sent["id"])
        await scene.at("send").click()
        await expect(scene.at("answer-body")).to_contain_text(sent["id"])


RUN = {
    "curl": ["bash"],
    "JavaScript": ["node", "--input-type=module", "-"],
    "Python": [sys.executable, "-"],
    "PHP": ["php"],
    "Ruby": ["ruby", "-"],
}


@pytest.mark.parametrize("language", RUN)
async def test_the_call_is_the_same_in_every_language(scene: Scene, language: str) -> None:
    text = 'It\'s 100 % "fine" \\ $HOME #{1} ê🎉'
    await scene.open("playground")
    await scene.at("token").fill(scene.client.token)
    await scene.at("field-message").fill(text)
    await scene.at("key").fill("the-same")
    await scene.at(f"language-{language}").click()
    written = await scene.at("snippet").inner_text()
    ended = subprocess.run(RUN[language], input=written, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    listed = scene.client.request("GET", "/_sandbox/messages").json()["data"]
    assert [each["message"] for each in listed] == [text]
    await scene.at("send").click()
    await expect(scene.at("answer-headers")).to_contain_text("idempotent-replayed")


async def test_coverage_says_what_is_met_and_what_is_not(scene: Scene) -> None:
    await scene.open("coverage")
    await expect(scene.at("unmet")).to_contain_text("201 message accepted")
    scene.client.send()
    await expect(scene.at("met")).to_contain_text("201 message accepted")
    await expect(scene.at("percent")).not_to_have_text("0 %")
