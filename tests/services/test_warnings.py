"""Warnings about single requests: each by a client that deserves it and one that does not."""

import json
import re
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from box import BASE_PATH, NUMBER, Box
from hypothesis import given
from hypothesis import strategies as st
from sends import SMS
from sync_box import sync_sandbox

from msgine_sandbox.model.warning import WarningCode

SEND = f"{BASE_PATH}/messages/sms"


FIXED_LINE = "+256414123456"


UNASSIGNED = "+256100123456"


def example(kind: str) -> str:
    """A British number of a type."""
    number = phonenumbers.example_number_for_type("GB", getattr(phonenumbers.PhoneNumberType, kind))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def test_an_ordinary_client_is_not_warned(box: Box) -> None:
    await box.freeze()
    answer = await box.send(
        NUMBER, "Hello", key="k", callbackUrl="http://localhost:9/", **{"from": "Me"}
    )
    await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1, "limit": 10})
    await box.read(answer.json())
    assert await box.warning_codes() == []
    assert "x-sandbox-warning" not in answer.headers


async def test_a_warning_has_a_message_and_a_link_to_the_docs(box: Box) -> None:
    await box.send(priority="high")
    assert await box.warnings() == [
        {
            "code": "unknown-field",
            "message": "The body has what this call ignores: priority",
            "advice": "Check the spelling of the name.",
            "docs": "/docs/warnings#unknown-field",
        }
    ]


async def test_the_answer_names_each_code_once(box: Box) -> None:
    answer = await box.send([FIXED_LINE, UNASSIGNED], priority="high")
    assert answer.headers["x-sandbox-warning"] == "unknown-field, number-not-mobile"
    assert await box.warning_codes() == ["unknown-field", "number-not-mobile", "number-not-mobile"]


async def test_a_refusal_carries_warnings_too(box: Box) -> None:
    answer = await box.send("12345", priority="high")
    assert (answer.status_code, answer.headers["x-sandbox-warning"]) == (400, "unknown-field")


# bearer-missing


async def test_a_token_without_bearer_causes_a_warning(box: Box) -> None:
    await box.call("GET", f"{BASE_PATH}/messages", headers={"Authorization": box.token})
    assert await box.warning_codes() == ["bearer-missing"]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
async def test_a_token_as_documented_causes_no_warning(box: Box, name: str) -> None:
    value = f"Bearer {box.token}" if name == "Authorization" else box.token
    await box.http.get(f"{BASE_PATH}/messages", headers={name: value})
    assert await box.warning_codes() == []


# unknown-field


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/messages/sms", {"to": NUMBER, "message": "Hello"}),
        ("POST", "/developers/sms", {"to": NUMBER, "message": "Hello"}),
        ("POST", "/developers/push/device", {"token": "abc", "platform": "android"}),
        ("DELETE", "/developers/push/device", {"token": "abc"}),
        ("GET", "/messages/msg_0000000000000001", None),
        ("GET", "/account", None),
    ],
)
async def test_a_query_of_a_call_that_has_no_parameters_causes_a_warning(
    box: Box, method: str, path: str, body: Any
) -> None:
    given = {"callbackUrl": "http://localhost:9/"}
    await box.call(method, f"{BASE_PATH}{path}", params=given, json=body)
    [warning] = await box.warnings()
    assert warning["message"] == "The query has what this call ignores: callbackUrl"


async def test_an_unknown_query_parameter_causes_a_warning(box: Box) -> None:
    answer = await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1, "page_size": 5})
    assert answer.headers["x-sandbox-warning"] == "unknown-field"
    assert "query" in (await box.warnings())[0]["message"]


async def test_the_names_of_unknown_fields_are_escaped_and_shortened(box: Box) -> None:
    names = ["\ud800", "x" * 1000, *map(str, range(20))]
    body = json.dumps({"to": NUMBER, "message": "Hello", **dict.fromkeys(names, 1)})
    answer = await box.call(
        "POST", SEND, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201
    [warning] = await box.warnings()
    assert "\\ud800, xxx" in warning["message"]
    assert warning["message"].endswith(", 7 and 12 more")


# undocumented-field


@pytest.mark.parametrize("target", [{"tokens": ["a"]}, {"tokens": "a", "topic": "news"}])
async def test_a_push_that_names_tokens_causes_a_warning(box: Box, target: Any) -> None:
    body = {"title": "Your order", "body": "It is on its way", **target}
    answer = await box.call("POST", f"{BASE_PATH}/developers/push", json=body)
    assert answer.status_code == 201
    assert answer.headers["x-sandbox-warning"] == "undocumented-field"
    [warning] = await box.warnings()
    assert "tokens" in warning["message"]


@pytest.mark.parametrize("target", [{"userIds": ["1"]}, {"topic": "news"}, {"tokens": None}])
async def test_a_push_as_the_sdks_send_it_causes_no_warning(box: Box, target: Any) -> None:
    device = {"token": "token-of-a-phone", "platform": "ios"}
    await box.developers("POST", "/push/device", device)
    body = {"title": "Your order", "body": "It is on its way", **target}
    await box.developers("POST", "/push", body)
    assert await box.warning_codes() == []


# time-without-offset


async def test_a_time_without_an_offset_causes_a_warning(box: Box) -> None:
    for end in ("", "Z"):
        time = f"2099-01-31T09:00:00{end}"
        await box.developers("POST", "/sms", {**SMS, "scheduledFor": time})
    assert await box.warning_codes() == ["time-without-offset"]


# number-not-mobile


@pytest.mark.parametrize(
    ("number", "words"),
    [(FIXED_LINE, "is not a mobile number"), (UNASSIGNED, "is not assigned to anybody")],
)
async def test_a_number_that_cannot_receive_sms_causes_a_warning(
    box: Box, number: str, words: str
) -> None:
    await box.accepted(number)
    [warning] = await box.warnings()
    assert warning["code"] == "number-not-mobile"
    assert number in warning["message"]
    assert words in warning["message"]


@pytest.mark.parametrize(
    "number",
    [NUMBER, "+256700000000", "+254712345678", "+12025550123", *map(example, ("VOIP", "PAGER"))],
)
async def test_a_number_that_may_be_a_mobile_causes_no_warning(box: Box, number: str) -> None:
    await box.accepted(number)
    assert await box.warning_codes() == []


# text-forced-to-ucs2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It’s" + "a" * 67, "U+2019 (right single quotation mark)"),
        ("It’s" + "a" * 67, "2 segments instead of 1"),
        ("😀" + "a" * 159, "3 segments instead of 1"),
        ("–" * 71, "2 segments instead of 1"),
        ("a\ue000" + "a" * 69, "U+E000 (unnamed)"),
        ("Côte d’Ivoire, " * 5, "U+00F4 (latin small letter o with circumflex)"),
    ],
)
async def test_a_text_that_one_character_forces_to_ucs2_causes_a_warning(
    box: Box, text: str, words: str
) -> None:
    await box.accepted(message=text)
    [warning] = await box.warnings()
    assert warning["code"] == "text-forced-to-ucs2"
    assert words in warning["message"]


@pytest.mark.parametrize("text", ["It’s", "–" * 70, "a\ue000", "😀" * 35, "{" * 69 + "–"])
async def test_a_text_in_ucs2_that_has_no_more_segments_causes_no_warning(
    box: Box, text: str
) -> None:
    await box.accepted(message=text)
    assert await box.warning_codes() == []


@pytest.mark.parametrize(
    "word", ["Привет, мир! ", "የእርስዎ ኮድ ", "رمز التحقق الخاص بك ", "验证码", "नमस्ते "]
)
async def test_a_text_in_an_alphabet_that_needs_ucs2_causes_no_warning(box: Box, word: str) -> None:
    await box.accepted(message="493817 " + word * 20)
    assert await box.warning_codes() == []


@given(st.text(st.sampled_from("aé{€–’ôж😀 "), min_size=1, max_size=400))
def test_a_warning_about_ucs2_always_names_more_segments(text: str) -> None:
    with sync_sandbox() as sync:
        sync.run(sync.box.accepted(message=text))
        for warning in sync.run(sync.box.warnings()):
            sent, without = map(
                int, re.findall("([0-9]+) segments? instead of ([0-9]+)", warning["message"])[0]
            )
            assert sent > without


@pytest.mark.parametrize("text", ["It's", "{[€]}", "a" * 1600, "Ωåñ@"])
async def test_a_text_in_gsm_causes_no_warning(box: Box, text: str) -> None:
    await box.accepted(message=text)
    assert await box.warning_codes() == []


# looks-live


@pytest.mark.parametrize(
    "token",
    [
        "msgine_live_4f5a",
        "sk_live_x",
        "prod-1",
        "PRODUCTION_KEY",
        "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA",
        "sk_live_test1",
        "acme-prod-demo",
    ],
)
async def test_a_token_that_looks_like_production_causes_a_warning(box: Box, token: str) -> None:
    account = box.other(token)
    await account.send()
    [warning] = await account.warnings()
    assert warning["code"] == "looks-live"
    assert token not in warning["message"]


@pytest.mark.parametrize(
    "token",
    [
        *[
            "test_me",
            "x",
            "olive",
            "product",
            "delivery_1",
            "test_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA",
        ],
        *["test_live_updates", "sandbox-prod-copy", "staging_live", "ci.production.4711"],
    ],
)
async def test_a_test_token_causes_no_warning(box: Box, token: str) -> None:
    account = box.other(token)
    await account.send()
    assert await account.warning_codes() == []


# polls-instead-of-webhook


def test_every_code_has_a_test() -> None:
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*warnings.py"))
    assert [code for code in WarningCode if f'"{code}"' not in tests] == []
