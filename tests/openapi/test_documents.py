"""The OpenAPI documents: valid, complete, and true of what is answered."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from box import NUMBER, Box, sandbox
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from receiver import Receiver
from vectors import exchanges

from msgine_sandbox import __version__
from msgine_sandbox.api import developers, messages
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.model.message import parse_message_id
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.openapi.control import CALLS, NOT_DESCRIBED
from msgine_sandbox.openapi.schemas import Schemas
from msgine_sandbox.routes import api_routes, control_routes
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
PUBLIC, CONTROL = "/openapi.json", "/_sandbox/openapi.json"
JSON = "application/json"
NOT_JSON = {"/_sandbox/events", "/_sandbox/metrics"}
BASE = "/api/v1"


async def read(path: str, **settings: Any) -> dict[str, Any]:
    async with sandbox(**settings) as box:
        return await box.anonymous.get(path)


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return the method, path and description of every call."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def response(document: dict[str, Any], operation: dict[str, Any], status: int) -> dict[str, Any]:
    """Return a response of a call, wherever the document has it."""
    found = operation["responses"][str(status)]
    name = found.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][name] if name else found


def problems(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Return what is wrong with a value; a member that the schema does not name is, too."""
    root = strict({**schema, "components": {"schemas": document["components"]["schemas"]}})
    return [
        f"{each.json_path}: {each.message}"
        for each in Draft202012Validator(root).iter_errors(value)
    ]


def strict(schema: Any) -> Any:
    """Return a schema whose objects have no members but those that it names."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {
        name: deepcopy(each) if name == "allOf" else strict(each) for name, each in schema.items()
    }
    if "properties" in copied and isinstance(copied["properties"], dict) and "type" in copied:
        copied.setdefault("additionalProperties", False)
    return copied


def codes_of(root: type[ApiError] = ApiError) -> set[tuple[int, str]]:
    """Return the status and the code of an error and of all that are more special."""
    return {(root.status, root.code)}.union(*map(codes_of, root.__subclasses__()))


# Valid


@pytest.mark.parametrize("answers", list(Answers))
@pytest.mark.parametrize("path", [PUBLIC, CONTROL])
async def test_a_document_is_valid(path: str, answers: str) -> None:
    document = await read(path, answers=answers)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)


# Complete. Where one of these fails for a new route, `public_operations.py` or the table in
# `openapi/control.py` needs an entry for it.


async def test_every_route_of_the_api_is_described() -> None:
    routes = api_routes(Sandbox(Settings()))
    expected = {
        (method, each.path)
        for each in routes.resources
        for method in each.handlers.keys() - {"HEAD"}
    }
    found = {(method, path) for method, path, _ in calls(await read(PUBLIC))}
    assert found == expected


async def test_every_route_of_the_control_api_is_described() -> None:
    routes = control_routes(Sandbox(Settings()))
    expected = {
        (method, each.path)
        for each in routes.resources
        for method in each.handlers.keys() - {"HEAD"}
    }
    expected |= {("GET", "/_sandbox"), ("GET", "/_sandbox/health")}
    assert CALLS.keys() == {each for each in expected if each[1] not in NOT_DESCRIBED}
    assert {(method, path) for method, path, _ in calls(await read(CONTROL))} == CALLS.keys()


async def test_every_call_says_what_it_does() -> None:
    for path in (PUBLIC, CONTROL):
        found = [
            (method, name) for method, name, each in calls(await read(path)) if not each["summary"]
        ]
        assert found == []


@pytest.mark.parametrize(
    "path", ["/messages/sms", *(f"/developers/{each}" for each in developers.CODECS)]
)
async def test_every_field_of_a_send_is_described(path: str) -> None:
    codecs = {f"/developers/{channel}": codec for channel, codec in developers.CODECS.items()}
    codec = codecs.get(path, messages.SMS)
    operation = (await read(PUBLIC))["paths"][path]["post"]
    schema = operation["requestBody"]["content"][JSON]["schema"]
    assert schema["properties"].keys() == codec.names
    assert set(schema["required"]) == {
        field.name for field in codec.fields if field.required or field.required_first
    }


async def test_every_error_code_has_a_place_and_an_example() -> None:
    found = set()
    for path in (PUBLIC, CONTROL):
        document = await read(path)
        described = [
            response(document, operation, int(status))
            for _, _, operation in calls(document)
            for status in operation["responses"]
        ]
        for each in (*described, *document["components"]["responses"].values()):
            for code, example in each["content"].get(JSON, {}).get("examples", {}).items():
                if "error" in example["value"]:
                    assert example["value"]["error"]["code"] == code
                    found.add(code)
    assert found == {code for _, code in codes_of()}


async def test_every_event_is_described() -> None:
    document = await read(PUBLIC)
    assert document["webhooks"].keys() == set(EventType)
    for event, methods in document["webhooks"].items():
        body = methods["post"]["requestBody"]["content"][JSON]
        assert problems(document, body["schema"], body["example"]) == []
        assert body["example"]["event"] == event


async def test_the_parameters_of_a_control_call_are_those_that_it_takes(box: Box) -> None:
    for method, path, operation in calls(await read(CONTROL)):
        if method != "GET" or "{id}" in path or path in NOT_JSON:
            continue
        answer = await box.call("GET", path, params={"unknown": "1", "timeout": "0"})
        expected = {each["name"] for each in operation["parameters"]}
        if answer.status_code == 200:
            assert path in {"/_sandbox", "/_sandbox/health"}, "others refuse what they do not read"
            continue
        named = answer.json()["error"]["details"]["expected"]
        assert set(named.split(", ")) == (expected or {"no query"}), path


async def test_the_fields_of_a_control_body_are_those_that_it_takes(box: Box) -> None:
    message = await box.accepted()
    document = await read(CONTROL)
    for method, path, operation in calls(document):
        if "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"][JSON]["schema"]
        name = schema.get("anyOf", [schema])[0]["$ref"].rpartition("/")[2]
        fields = document["components"]["schemas"][name]["properties"]
        own = path.replace("{id}", message["id"])
        answer = await box.call(method, own, json={"unknown": 1})
        error = answer.json()["error"]
        assert (answer.status_code, error["details"]["field"]) == (400, "unknown"), path
        assert set(error["details"]["expected"].split(", ")) == fields.keys(), path


@pytest.mark.parametrize(
    ("path", "body", "is_taken"),
    [
        ("/clock/advance", {}, False),
        ("/clock/advance", {"seconds": None}, False),
        ("/clock/advance", {"seconds": 1, "until": "idle"}, False),
        ("/clock/advance", {"seconds": -1}, False),
        ("/clock/advance", {"seconds": 0}, True),
        ("/clock/advance", {"seconds": 1, "to": None}, True),
        ("/clock/advance", {"until": "idle"}, True),
        ("/clock/advance", {"to": TOMORROW}, True),
        ("/faults", {"effect": {}}, False),
        ("/faults", {"effect": {"status": None}}, False),
        ("/faults", {"effect": {"delay": 0}}, False),
        ("/faults", {"effect": {"malformed": False, "commit": True}}, False),
        ("/faults", {"effect": {"delay": 1, "status": 503}}, True),
        ("/faults", {"effect": {"drop": "after"}}, True),
        ("/faults", {"effect": {"malformed": True}}, True),
        ("/faults", {"effect": {"webhook": "lose"}}, True),
        ("/faults", {"effect": {"delivery": "failed"}}, True),
    ],
)
async def test_fields_that_go_together_are_described(
    box: Box, path: str, body: dict[str, Any], *, is_taken: bool
) -> None:
    document = await read(CONTROL)
    operation = document["paths"][f"/_sandbox{path}"]["post"]
    schema = operation["requestBody"]["content"][JSON]["schema"]
    whole = {**schema, "components": document["components"]}
    assert Draft202012Validator(whole).is_valid(body) is is_taken
    answer = await box.call("POST", f"/_sandbox{path}", json=body)
    assert answer.is_success is is_taken


# True


@pytest.mark.parametrize("answers", list(Answers))
async def test_every_refusal_of_an_exchange_is_described(answers: str) -> None:
    document, routes = await read(PUBLIC, answers=answers), api_routes(Sandbox(Settings()))
    found = []
    for exchange in exchanges():
        request, answer = exchange["request"], exchange["answer"]
        is_observed = exchange["file"].startswith("observed-")
        own = request["path"].partition("?")[0]
        path = routes.path_of(own.removeprefix(BASE)) if own.startswith(BASE) else None
        operation = document["paths"].get(path, {}).get(request["method"].lower())
        # A fault may answer with any status, and without the envelope.
        is_fault = exchange["file"].startswith("fault-")
        if is_observed is not (answers == Answers.OBSERVED) or operation is None or is_fault:
            continue
        if "error" in answer["body"]:
            described = response(document, operation, answer["status"])
            shape = described["content"][JSON]["schema"]["allOf"][1]["properties"]["error"]
            assert answer["body"]["error"]["code"] in shape["properties"]["code"]["enum"]
            found.append(exchange["file"])
    assert len(found) > (40 if answers == Answers.DOCUMENTED else 0)


@pytest.mark.parametrize("answers", list(Answers))
async def test_ids_in_examples_are_such_as_the_sandbox_gives(answers: str) -> None:
    document = await read(PUBLIC, answers=answers)
    found = [
        example["value"]["id"]
        for _, _, operation in calls(document)
        for status, answered in operation["responses"].items()
        if int(status) < 300
        for example in answered["content"][JSON].get("examples", {}).values()
        if not str(example["value"].get("id", "dev_")).startswith("dev_")
    ]
    assert found
    for each in found:
        assert parse_message_id(each) is not None, each


@pytest.mark.parametrize("answers", list(Answers))
async def test_every_example_fits_its_schema(answers: str) -> None:
    document = await read(PUBLIC, answers=answers)
    found, count = [], 0
    for method, path, operation in calls(document):
        contents = [response(document, operation, int(status)) for status in operation["responses"]]
        for each in contents:
            content = each["content"][JSON]
            for name, example in content.get("examples", {}).items():
                count += 1
                found += [
                    f"{method} {path} {name} {problem}"
                    for problem in problems(document, content["schema"], example["value"])
                ]
        if "requestBody" in operation:
            content = operation["requestBody"]["content"][JSON]
            for name, example in content.get("examples", {}).items():
                root = {**content["schema"], "components": document["components"]}
                found += [
                    f"{method} {path} {name} {each.message}"
                    for each in Draft202012Validator(root).iter_errors(example["value"])
                ]
    assert found == []
    assert count > 100


async def test_every_answer_of_the_control_api_is_as_described(
    box: Box, receiver: Receiver
) -> None:
    document = await read(CONTROL)
    receiver.answers = [500]
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    await box.listen(receiver.url, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    fault = await box.add_fault({"status": 503, "retryAfter": 5}, times=1)
    await box.add_fault({"webhook": "duplicate"}, match={"event": "message.sent"})
    for _ in range(2):
        await box.send(key="k")
    message = await box.accepted(message="–" * 71, unknown=1, callbackUrl=receiver.url)
    await box.developers("POST", "/push/device", {"token": "t", "platform": "ios"})
    await box.developers(
        "POST",
        "/email",
        {"from": "a@example.com", "to": "b@example.com", "subject": "s", "html": "<p>Hello</p>"},
    )
    await box.developers("POST", "/push", {"title": "t", "body": "b", "data": {"k": "v"}})
    await box.advance(seconds=10)
    ids = {
        "messages": message["id"],
        "faults": fault["id"],
        "requests": (await box.get("/_sandbox/requests"))["data"][0]["id"],
        "attempts": (await box.attempts())[0]["id"],
    }
    found = []
    for method, path, operation in calls(document):
        if method != "GET" or JSON not in response(document, operation, 200)["content"]:
            continue
        noun = path.removesuffix("/{id}").rpartition("/")[2]
        own = path.replace("{id}", ids.get(noun, ""))
        summaries = [{}, {"view": "summary"}] if "view" in str(operation["parameters"]) else [{}]
        for params in summaries:
            answer = await box.call("GET", own, params=params)
            assert answer.status_code == 200, (own, answer.text)
            schema = response(document, operation, 200)["content"][JSON]["schema"]
            found += [f"{path} {each}" for each in problems(document, schema, answer.json())]
    assert found == []


async def test_a_wait_that_times_out_is_as_described(box: Box) -> None:
    document = await read(CONTROL)
    operation = document["paths"]["/_sandbox/messages/wait"]["get"]
    answer = await box.call("GET", "/_sandbox/messages/wait", params={"timeout": "0", "to": NUMBER})
    assert answer.status_code == 408
    schema = response(document, operation, 408)["content"][JSON]["schema"]
    root = {**schema, "components": document["components"]}
    assert list(Draft202012Validator(root).iter_errors(answer.json())) == []


def test_two_structs_of_one_name_are_noticed() -> None:
    import msgspec

    first, second = (msgspec.defstruct("Same", [("field", int)]) for _ in range(2))
    schemas = Schemas()
    schemas.of(first)
    with pytest.raises(TypeError, match="same name"):
        schemas.of(second)


# Served


async def test_a_document_is_made_once_and_known_again(box: Box) -> None:
    first = await box.anonymous.call("GET", PUBLIC)
    assert first.headers["content-type"] == JSON
    again = await box.call("GET", PUBLIC, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert json.loads(first.content)["servers"] == [{"url": BASE, "description": "This sandbox"}]
