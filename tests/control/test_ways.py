"""Every behaviour that coverage counts has a way to it, and that way leads there."""

from typing import Any

from box import NUMBER, Box
from receiver import Receiver
from sends import EMAIL, PUSH, SMS

USUAL: dict[str, dict[str, Any]] = {
    "/messages/sms": SMS,
    "/developers/sms": SMS,
    "/developers/email": EMAIL,
    "/developers/push": {name: PUSH[name] for name in ("title", "body")} | {"topic": "orders"},
    "/developers/push/device": {"token": "token-of-a-phone", "platform": "android"},
}


async def test_the_way_to_each_behaviour_leads_there(box: Box, receiver: Receiver) -> None:
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    await box.freeze()
    await box.developers("GET", "/sms/history")  # the behaviours of the Developers API count now
    coverage = await box.get("/_sandbox/coverage")
    ways = {each["name"]: each for each in (await box.get("/_sandbox/definitions"))["ways"]}
    assert set(ways) == {*coverage["met"], *coverage["unmet"]}
    sent = await box.accepted(NUMBER)
    for name, way in ways.items():
        await box.control("POST", "/reset")
        await box.freeze()
        if name in {"200 message read", "200 device removed"}:
            sent = await box.accepted(NUMBER)
            await box.call(
                "POST", "/api/v1/developers/push/device", json=USUAL["/developers/push/device"]
            )
        await go(box, way, sent["id"], receiver.url)
        await box.control("POST", "/clock/advance", {"seconds": 61})
        if "again" in way.get("hint", "") or "twice" in way.get("hint", ""):
            await go(box, way, sent["id"], receiver.url)
        assert name in (await box.get("/_sandbox/coverage"))["met"]


async def go(box: Box, way: dict[str, Any], message: str, receiver: str) -> None:
    """Make a way's request, with a receiver of webhooks in place of the usual one."""
    fields = dict(way["fields"])
    if "callbackUrl" in fields:
        fields["callbackUrl"] = receiver
    path = f"/api/v1{way['path']}".replace("{id}", fields.pop("id", message))
    headers = {"Idempotency-Key": way["key"]} if "key" in way else {}
    if way["method"] == "GET":
        await box.call("GET", path, params=fields)
        return
    body = USUAL[way["path"]] | fields
    for name in ("to", "userIds"):
        if "," in fields.get(name, ""):  # the Messages API takes several as an array
            body[name] = fields[name].split(",")
    if "userIds" in fields:
        del body["topic"]  # which would be used instead
    await box.call(way["method"], path, json=body, headers=headers)
