"""The values that the OpenAPI documents allow are those that the server takes and sends."""

from typing import Any

import pytest
from box import BASE_PATH, Box
from jsonschema import Draft202012Validator
from receiver import Receiver
from sends import SENDS, later

PUBLIC, CONTROL = "/openapi.json", "/_sandbox/openapi.json"
JSON = "application/json"


def answer_schema(document: dict[str, Any], path: str, method: str, status: int) -> Any:
    operation = document["paths"][path][method]
    return operation["responses"][str(status)]["content"][JSON]["schema"]


def body_schema(paths: dict[str, Any], path: str, method: str = "post") -> Any:
    return paths[path][method]["requestBody"]["content"][JSON]["schema"]


def allows(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    return Draft202012Validator({**schema, "components": document["components"]}).is_valid(value)


def choices(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the values of a schema that allows some, or null."""
    found = schema.get("anyOf", [schema])[0]
    if "$ref" in found:
        found = document["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return set(found["enum"])


# Choices


@pytest.mark.parametrize(
    ("fault", "schema", "field"),
    [
        ({"effect": {"drop": "{}"}}, "RequestEffectBody", "drop"),
        ({"effect": {"status": 503}, "match": {"method": "{}"}}, "RequestMatchBody", "method"),
    ],
)
async def test_the_choices_of_a_fault_are_those_that_are_taken(
    box: Box, fault: dict[str, Any], schema: str, field: str
) -> None:
    document = await box.get(CONTROL)
    known = choices(document, document["components"]["schemas"][schema]["properties"][field])
    part = "match" if "match" in fault else "effect"
    for value in (*known, "other"):
        body = {**fault, part: {field: value}}
        answer = await box.call("POST", "/_sandbox/faults", json=body)
        assert answer.is_success is (value in known), value
        is_allowed = allows(document, body_schema(document["paths"], "/_sandbox/faults"), body)
        assert is_allowed is (value in known), value
        if answer.is_success:
            described = answer_schema(document, "/_sandbox/faults", "post", 201)
            assert allows(document, described, answer.json())
            assert answer.json()[part][field] == value
        else:
            expected = answer.json()["error"]["details"]["expected"]
            assert set(expected.removeprefix("one of ").split(", ")) == known


async def test_every_status_and_channel_that_is_sent_is_described(
    box: Box, receiver: Receiver
) -> None:
    await box.listen(receiver.url)
    document = await box.get(PUBLIC)
    schemas, found = document["components"]["schemas"], set()
    for path, body in SENDS.items():
        for more in ({}, {"scheduledFor": await later(box, days=1)}):
            message = await box.developers("POST", path, {**body, **more})
            for _ in range(4):
                for call in ("/messages/{id}", "/developers/{id}"):
                    answer = await box.call("GET", BASE_PATH + call.replace("{id}", message["id"]))
                    if answer.is_success:
                        described = answer_schema(document, call, "get", 200)
                        assert allows(document, described, answer.json())
                        found.add((call, answer.json()["channel"], answer.json()["status"]))
                await box.control("POST", "/clock/advance", {"until": "next"})
    one, other = ("/messages/{id}", "TextMessage"), ("/developers/{id}", "DeveloperMessage")
    for call, name in (one, other):
        properties = schemas[name]["properties"]
        seen = {each for each in found if each[0] == call and each[1] != "push"}
        assert {channel for _, channel, _ in seen} == choices(document, properties["channel"])
        # The magic recipients of failures have tests of their own.
        statuses = {status for _, _, status in seen} | {"failed"}
        assert statuses == choices(document, properties["status"])
    push = schemas["DeveloperPush"]["properties"]
    assert choices(document, push["channel"]) == {"push"}
    for each in receiver.received:
        described = body_schema(document["webhooks"], each.content["event"])
        assert allows(document, described, each.content)
        assert not allows(document, described, {**each.content, "status": "pending"})
    assert receiver.received


# Ranges


@pytest.mark.parametrize("amount", [-0.01, 0, 0.000001, 1_000_000, 1_000_000.01, 1e15, "1", None])
@pytest.mark.parametrize("field", ["price", "sms", "email", "push", "fax"])
async def test_the_prices_that_are_described_are_taken(box: Box, field: str, amount: Any) -> None:
    document = await box.get(CONTROL)
    body = {"price": amount} if field == "price" else {"developerPrices": {field: amount}}
    answer = await box.call("PATCH", "/_sandbox/account", json=body)
    described = body_schema(document["paths"], "/_sandbox/account", "patch")
    assert allows(document, described, body) is answer.is_success
    if answer.is_success:
        described = answer_schema(document, "/_sandbox/account", "patch", 200)
        assert allows(document, described, answer.json())


@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("retryAfter", {"status": 429}),
        ("status", {}),
        ("delay", {"malformed": True}),
        ("after", {"delivery": "failed"}),
    ],
)
async def test_the_range_of_a_number_is_the_one_that_is_taken(
    box: Box, field: str, others: dict[str, Any]
) -> None:
    document = await box.get(CONTROL)
    name = "DeliveryEffectBody" if "delivery" in others else "RequestEffectBody"
    schema = document["components"]["schemas"][name]["properties"][field]["anyOf"][0]
    least, most = schema["minimum"], schema["maximum"]
    for value in (least - 1, least, most, most + 1):
        body = {"effect": {**others, field: value}}
        answer = await box.call("POST", "/_sandbox/faults", json=body)
        is_allowed = allows(document, body_schema(document["paths"], "/_sandbox/faults"), body)
        assert answer.is_success is is_allowed is (least <= value <= most)


# Texts and recipients

BODIES = {"/messages/sms": SENDS["/sms"]} | {
    f"/developers{path}": body for path, body in SENDS.items()
}


def text_of(field: str, length: int) -> str:
    if field in {"callbackUrl", "imageUrl"}:
        return "http://shop.example/".ljust(length, "a")
    return "a" * length


def recipients(path: str, field: str, count: int) -> list[str]:
    if field in {"userIds", "tokens"}:
        return [f"someone-{n}" for n in range(count)]
    if path.endswith("email"):
        return [f"jane-{n}@example.com" for n in range(count)]
    return [f"+2567012345{n:02}" if n < 100 else "+256701999999" for n in range(count)]


async def verdicts(
    box: Box, document: dict[str, Any], path: str, field: str, value: Any
) -> tuple[bool, bool]:
    """Return whether the document allows a send with a field, and whether the server takes it."""
    body = {**BODIES[path], field: value}
    answer = await box.call("POST", BASE_PATH + path, json=body)
    return allows(document, body_schema(document["paths"], path), body), answer.is_success


@pytest.mark.parametrize("path", BODIES)
async def test_the_length_of_a_text_is_the_one_that_is_taken(box: Box, path: str) -> None:
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    document, found = await box.get(PUBLIC), set()
    for field, schema in body_schema(document["paths"], path)["properties"].items():
        text = schema.get("anyOf", [schema])[0]
        if "maxLength" not in text:
            continue
        found.add(field)
        most = text["maxLength"]
        for value in ("", text_of(field, most + 1)):
            assert await verdicts(box, document, path, field, value) == (False, False), field
        if (path, field) != ("/developers/email", "from"):  # an address has limits of its own
            value = text_of(field, most)
            assert await verdicts(box, document, path, field, value) == (True, True), field
    assert found >= {"message", "subject", "text", "html", "title", "body"} & BODIES[path].keys()


@pytest.mark.parametrize("path", BODIES)
async def test_the_number_of_recipients_is_the_one_that_is_taken(box: Box, path: str) -> None:
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    document, found = await box.get(PUBLIC), set()
    schema = body_schema(document["paths"], path)
    for field, described in schema["properties"].items():
        arrays = [each for each in described.get("anyOf", ()) if each.get("type") == "array"]
        if not arrays:
            continue
        found.add(field)
        most = arrays[0]["maxItems"]
        refused = ["", [""], recipients(path, field, most + 1)]
        if field in schema["required"]:
            refused.append([])
        for value in refused:
            assert await verdicts(box, document, path, field, value) == (False, False), field
        # All recipients are counted together, and the body names one already.
        value = recipients(path, field, most - (field in {"cc", "bcc", "userIds"}))
        assert await verdicts(box, document, path, field, value) == (True, True), field
    assert found >= {"to", "cc", "tokens"} & BODIES[path].keys()


async def test_the_length_of_a_device_token_is_the_one_that_is_taken(box: Box) -> None:
    document, path = await box.get(PUBLIC), "/developers/push/device"
    most = body_schema(document["paths"], path)["properties"]["token"]["maxLength"]
    for length in (0, 1, most, most + 1):
        body = {"token": "t" * length, "platform": "ios"}
        for method in ("POST", "DELETE"):
            answer = await box.call(method, BASE_PATH + path, json=body)
            described = body_schema(document["paths"], path, method.lower())
            assert allows(document, described, body) is answer.is_success
