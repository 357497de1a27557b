"""The reference of all calls as Markdown, from the two documents; the docs show it as a page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgine_sandbox.ui.markdown import anchor_of

Json = Mapping[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_COMMON: Final = frozenset({"408", "413", "414", "415", "421", "431", "500", "501", "502", "503"})
"""Statuses of every call, which are told once."""


def reference(public: Json, control: Json) -> str:
    """Return the calls, objects and webhooks of both documents."""
    return "\n".join([*_document(public, "The API"), *_document(control, "The control API")]) + "\n"


def _document(document: Json, title: str) -> Iterator[str]:
    base = document["servers"][0]["url"].rstrip("/")
    calls = {
        f"{method.upper()} {base}{path}": methods[method]
        for path, methods in document["paths"].items()
        for method in _METHODS
        if method in methods
    }
    yield from ("", f"## {title}", "", document["info"]["description"], "")
    for name, operation in calls.items():
        yield f"- [{name}](#{anchor_of(name)}): {operation['summary'].rstrip('.')}"
    yield from ("", "Every call may also be answered:", "")
    yield from _statuses(_common(document), document)
    for name, operation in calls.items():
        yield from _call(name, operation, document)
    for event, methods in document.get("webhooks", {}).items():
        yield from ("", f"### Webhook {event}", "", methods["post"]["description"], "")
        body = methods["post"]["requestBody"]["content"]["application/json"]
        yield from _json(body["example"])
    yield from ("", f"### Objects of {title[0].lower()}{title[1:]}")
    for name, schema in document["components"]["schemas"].items():
        yield from _object(name, schema)


def _common(document: Json) -> Json:
    first = next(iter(document["paths"].values()))
    operation = first.get("post") or first["get"]
    return {key: each for key, each in operation["responses"].items() if key in _COMMON}


def _call(title: str, operation: Json, document: Json) -> Iterator[str]:
    yield from ("", f"### {title}", "", f"{operation['summary'].rstrip('.')}.")
    if operation.get("description"):
        yield operation["description"]
    parameters = operation["parameters"]
    if parameters:
        yield ""
        yield from _table(
            ("parameter", "in", "type", "what"),
            [
                (each["name"], each["in"], _type(each["schema"]), each.get("description", ""))
                for each in parameters
            ],
        )
    body = operation.get("requestBody")
    if body is not None:
        yield from _content("Body", body["content"]["application/json"])
    for status, response in operation["responses"].items():
        if int(status) < 300:
            for media_type, content in response["content"].items():
                yield from _content(f"{status}, `{media_type}`", content)
    refused = {
        status: response
        for status, response in operation["responses"].items()
        if int(status) >= 400 and status not in _COMMON
    }
    yield ""
    yield from _statuses(refused, document)


def _content(title: str, content: Json) -> Iterator[str]:
    """Return what a body has, with the first of its examples."""
    schema = content.get("schema")
    if schema is None:
        yield from ("", f"{title}.")
        return
    if "properties" in schema:
        yield from ("", f"{title}:", "")
        yield from _members(schema)
    else:
        yield from ("", f"{title}: {_type(schema)}.")
    for example in list(content.get("examples", {}).values())[:1]:
        yield ""
        yield from _json(example["value"])


def _statuses(responses: Json, document: Json) -> Iterator[str]:
    shared = document["components"]["responses"]
    rows = []
    for status, response in responses.items():
        name = response.get("$ref", "").rpartition("/")[2]
        rows.append((status, (shared[name] if name else response)["description"]))
    yield from _table(("status", "code and reason"), rows)


def _object(name: str, schema: Json) -> Iterator[str]:
    yield from ("", f"#### {name}", "", schema.get("description", ""), "")
    if "enum" in schema:
        yield ", ".join(f"`{each}`" for each in schema["enum"])
    else:
        yield from _members(schema)


def _members(schema: Json) -> Iterator[str]:
    required = schema.get("required", ())
    yield from _table(
        ("member", "type", "required", "what"),
        [
            (name, _type(each), "yes" if name in required else "", each.get("description", ""))
            for name, each in schema["properties"].items()
        ],
    )


def _type(schema: Json) -> str:
    """Return what values a schema allows, in short."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {_type(schema['items'])}"
    return _type_of_object(schema) if kind == "object" else _type_of_scalar(schema, kind)


def _type_of_object(schema: Json) -> str:
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"object with {', '.join(schema['properties'])}" if "properties" in schema else "object"


def _type_of_scalar(schema: Json, kind: str) -> str:
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "maxLength" in schema:
        return f"{kind} of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return kind


def _json(value: Any) -> Iterator[str]:
    yield from ("```json", json.dumps(value, indent=2, ensure_ascii=False), "```")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in row)} |"
