"""The definitions that the control API reports, and the advice of each warning."""

import re

import pytest
from box import Box
from project import DOCS

from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.warning import ADVICE, WarningCode
from msgine_sandbox.model.webhook import EventType

WARNINGS = DOCS / "warnings.md"
STUCK = "+256700000003"


async def test_the_definitions_leave_nothing_out(box: Box) -> None:
    found = await box.get("/_sandbox/definitions")
    titles = {each["name"]: each["title"] for each in found["channels"]}
    assert titles == {channel: TRAITS[channel].title for channel in Channel}
    assert found["tiers"] == list(Tier)
    assert found["scopes"] == list(Scope)
    assert found["events"] == list(EventType)
    assert list(found["statuses"]) == list(Status)
    assert {each["code"]: each["advice"] for each in found["warnings"]} == ADVICE


async def test_the_definitions_are_the_same_for_any_account_and_for_none(box: Box) -> None:
    found = await box.get("/_sandbox/definitions")
    assert await box.other("test_free_definitions").get("/_sandbox/definitions") == found
    assert (await box.http.get("/_sandbox/definitions")).json() == found


async def test_a_message_can_be_taken_to_delivered_by_the_first_of_the_next_statuses(
    box: Box,
) -> None:
    statuses = (await box.get("/_sandbox/definitions"))["statuses"]
    message = await box.accepted(STUCK)
    status = message["status"]
    while statuses[status]:
        status = statuses[status][0]
        await box.control("POST", f"/messages/{message['id']}/status", {"status": status})
    assert (await box.read(message))["status"] == status == "delivered"


@pytest.mark.parametrize("status", [*Status])
async def test_a_refused_change_names_the_next_statuses_of_the_definitions(
    box: Box, status: Status
) -> None:
    statuses = (await box.get("/_sandbox/definitions"))["statuses"]
    message = await box.accepted(STUCK)
    path = f"/_sandbox/messages/{message['id']}/status"
    answer = await box.call("POST", path, json={"status": status})
    if status in statuses["pending"]:
        assert answer.status_code == 200
    else:
        expected = answer.json()["error"]["details"]["expected"]
        assert sorted(expected) == sorted(statuses["pending"])


async def test_the_reason_of_a_failure_by_hand_is_defined(box: Box) -> None:
    reasons = (await box.get("/_sandbox/definitions"))["reasons"]
    message = await box.accepted(STUCK)
    await box.control("POST", f"/messages/{message['id']}/status", {"status": "failed"})
    [recipient] = (await box.details(message))["recipients"]
    assert recipient["reason"] == reasons["byHand"]


@pytest.mark.parametrize("code", WarningCode)
def test_every_warning_has_advice_and_a_section_that_contains_it(code: WarningCode) -> None:
    assert code in ADVICE, f"model/warning.py: ADVICE has no entry for {code}"
    assert code in sections(), f"docs/warnings.md has no section {code}"
    assert ADVICE[code] in sections()[code], f"docs/warnings.md, {code}: the advice is missing"


def test_no_section_explains_a_warning_that_does_not_exist() -> None:
    assert sections().keys() - set(WarningCode) == set()


def sections() -> dict[str, str]:
    """Return the text below each heading of docs/warnings.md, without markup or line breaks."""
    content = WARNINGS.read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", content, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], map(plain, parts[1::2]), strict=True))


def plain(markdown: str) -> str:
    linked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"\s+", " ", linked.replace("`", "").replace("**", ""))
