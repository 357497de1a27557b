"""The words that clients, test suites and files rely on; `fixtures/wire-words.json` lists them.

A word that is missing here breaks somebody. A new one is added to the list: `python
tests/support/wire_words.py` writes the list anew, and the difference is reviewed.
"""

import ast
import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

import click
from box import Box, bounded, sandbox
from project import FIXTURES, ROOT
from receiver import Receiver, receiving
from sends import SENDS

from msgine_sandbox import testing
from msgine_sandbox.cli import cli
from msgine_sandbox.cli.tools import TOOLS
from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.settings import table
from msgine_sandbox.testing import plugin

WORDS = FIXTURES / "wire-words.json"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_ANY_NAMES = {"headers"}  # whose members are named by somebody else


def members(content: Any, at: str = "") -> Iterator[str]:
    """The dotted names of all members of JSON; `[]` stands for the elements of an array."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield f"{at}.{name}".lstrip(".")
            if name not in _ANY_NAMES:
                yield from members(value, f"{at}.{name}")
    elif isinstance(content, list):
        for each in content:
            yield from members(each, f"{at}[]")


class Recorder:
    """Calls a sandbox, and writes down the members and headers of every answer."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.members: dict[str, set[str]] = {}
        self.headers: set[str] = set()

    async def call(self, name: str, method: str, path: str, **kwargs: Any) -> Any:
        answer = await self.box.call(method, path, **kwargs)
        content = answer.json()
        self.members.setdefault(f"{name} {answer.status_code}", set()).update(members(content))
        self.headers.update(answer.headers)
        return content


async def answers(receiver: Receiver) -> Recorder:
    """Make every call once, with a message of every channel behind it."""
    async with sandbox(tier="starter") as box:
        recorder = Recorder(box)
        call, api, control = recorder.call, "/api/v1", "/_sandbox"
        await box.freeze()
        await call("PUT webhooks", "PUT", f"{control}/webhooks", json={"endpoints": [
            {"url": receiver.url, "events": ["message.sent"], "secret": SECRET}
        ]})  # fmt: skip
        fault = {"match": {"method": "GET"}, "effect": {"status": 503, "retryAfter": 1}, "times": 1}
        fault |= {"probability": 1, "seed": 0}
        await call("POST faults", "POST", f"{control}/faults", json=fault)
        webhook = {"match": {"event": "message.failed"}, "effect": {"webhook": "delay", "delay": 1}}
        await call("POST faults", "POST", f"{control}/faults", json=webhook)
        delivery = {"delivery": "failed", "reason": "Off", "after": 1.5}
        await call("POST faults", "POST", f"{control}/faults", json={
            "match": {"channel": "email", "to": "*"}, "effect": delivery, "times": 2
        })  # fmt: skip
        await call("GET messages", "GET", f"{api}/messages")
        sms = {"to": "+256701234567", "message": "–", "priority": 1}
        for _ in range(2):
            sent = await call(
                "POST messages/sms",
                "POST",
                f"{api}/messages/sms",
                json=sms,
                headers={"Idempotency-Key": "k"},
            )
        await call("POST messages/sms", "POST", f"{api}/messages/sms", json={"to": "07"})
        later = {"scheduledFor": "2100-01-01T00:00:00Z"}
        push = {"data": {"order": "1"}, "imageUrl": "https://a.example/b.png"}
        for path, body in SENDS.items():
            url = f"{api}/developers{path}"
            await call(f"POST developers{path}", "POST", url, json=body | later)
            await call(f"POST developers{path}", "POST", url, json=body)
            await call(f"GET developers{path}/history", "GET", f"{url}/history")
        await call("POST developers/push", "POST", f"{api}/developers/push", json={
            "title": "a", "body": "b", "topic": "news", **push
        })  # fmt: skip
        await call("POST developers/email", "POST", f"{api}/developers/email", json={
            **SENDS["/email"], "html": "<p>On its way</p>"
        })  # fmt: skip
        device = {"token": "a-device", "platform": "ios"}
        url = f"{api}/developers/push/device"
        await call("POST developers/push/device", "POST", url, json=device)
        await call("DELETE developers/push/device", "DELETE", url, json={"token": "a-device"})
        for path in ("overview", "daily?days=1"):
            url = f"{api}/developers/analytics/{path}"
            await call(f"GET developers/analytics/{path}", "GET", url)
        await call("POST clock", "POST", f"{control}/clock/advance", json={"seconds": 60})
        await call("GET messages", "GET", f"{api}/messages")
        await call("GET messages/id", "GET", f"{api}/messages/{sent['id']}")
        for path in ("messages", "requests", "webhooks/attempts", "faults", "magic", "coverage",
                     "account", "accounts", "clock", "webhooks", "health",
                     "definitions", "report"):  # fmt: skip
            await call(f"GET {path}", "GET", f"{control}/{path}")
        await call("GET index", "GET", control)
        for message in (await box.get(f"{control}/messages"))["data"]:
            path = f"{control}/messages/{message['id']}"
            await call("GET message", "GET", path)
            await call("POST ticket", "POST", f"{path}/ticket")
        [attempt, *_] = await box.attempts()
        url = f"{control}/webhooks/attempts/{attempt['id']}/resend"
        await call("POST resend", "POST", url)
        await waits_and_moves(recorder, receiver, sms)
        for _ in range(21):
            await call("GET messages", "GET", f"{api}/messages")
        scenario = await call("GET scenario", "GET", f"{control}/scenario")
        await call("PUT scenario", "PUT", f"{control}/scenario", json=scenario)
        async with bounded(looked_at=1, looked_at_together=1) as recorder.box:
            await recorder.box.statuses(2)
            await call("GET messages", "GET", f"{control}/messages?q=hello&limit=1")
            await call("GET messages/count", "GET", f"{control}/messages/count?q=hello")
        recorder.headers |= set(receiver.received[0].headers)
        recorder.members["webhook"] = set(members(receiver.received[0].content))
        return recorder


async def waits_and_moves(recorder: Recorder, receiver: Receiver, sms: Any) -> None:
    """Wait for messages, count them, and move to what is due next, of each kind."""
    call, control = recorder.call, "/_sandbox"
    for query in ("contains=nothing", "contains=–&status=queued&jump=true", "channel=sms"):
        await call("GET wait", "GET", f"{control}/messages/wait?timeout=0&{query}")
    await call("GET messages/count", "GET", f"{control}/messages/count")
    await call("GET clock", "GET", f"{control}/clock")  # what is scheduled
    receiver.answers = [503]
    await call("POST messages/sms", "POST", "/api/v1/messages/sms", json=sms)
    for _ in range(2):  # the second status, then the second attempt of a webhook
        await call("POST clock", "POST", f"{control}/clock/advance", json={"until": "next"})


def paths() -> Iterator[str]:
    """The methods and paths that the API and the control API have."""
    for folder in ("api", "control"):
        for source in (ROOT / "msgine_sandbox" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "resource":
                    path = ast.unparse(node.args[0]).removeprefix("f").strip("'")
                    names = [keyword.arg or "" for keyword in node.keywords]
                    yield from (f"{name} {path}" for name in names if name.isupper())


def codes(error: type[ApiError]) -> set[str]:
    return {f"{error.status} {error.code}"}.union(*map(codes, error.__subclasses__()))


def client() -> dict[str, list[str]]:
    """What the Python client and the plugin offer: classes with their members, functions."""
    found = {}
    for name in sorted(set(dir(testing)) - {"TYPE_CHECKING", "Any", "import_module"}):
        value = getattr(testing, name)
        if name.startswith("_") or inspect.ismodule(value):
            continue
        if isinstance(value, str):
            found[name] = [value]
        elif inspect.isclass(value):
            names = {*dir(value), *getattr(value, "__dataclass_fields__", ())}
            found[name] = sorted(each for each in names - set(dir(object)) if each[0] != "_")
        else:
            found[name] = list(inspect.signature(value).parameters)
    return found


def tools() -> dict[str, list[str]]:
    """The tools of `mcp`, with the names of their arguments."""
    return {name: sorted(tool.__struct_fields__) for name, tool in sorted(TOOLS.items())}


def flags(command: str) -> list[str]:
    """The flags of a command, in both forms."""
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    return sorted(flag for each in found.params for flag in (*each.opts, *each.secondary_opts))


async def words(receiver: Receiver) -> dict[str, Any]:
    recorder = await answers(receiver)
    context = click.Context(cli)
    async with sandbox() as box:
        await box.developers("GET", "/sms/history")
        coverage = await box.get("/_sandbox/coverage")
        magic = await box.get("/_sandbox/magic")
    return {
        "answers": {name: sorted(found) for name, found in sorted(recorder.members.items())},
        "paths": sorted(paths()),
        "headers": sorted(recorder.headers - {"date", "server", "host", "accept"}),
        "error codes": sorted(codes(ApiError)),
        "warning codes": sorted(WarningCode),
        "behaviours": coverage["met"] + coverage["unmet"],
        "magic": [[each["name"], each["number"], each["token"]] for each in magic["data"]],
        "settings": [
            [flag, row["environment"], row["default"]]
            for row in table()
            for flag in (row["flag"], row["opposite"])
            if flag
        ],
        "commands": sorted(cli.list_commands(context)),
        "flags of ready": flags("ready"),
        "flags of tail": flags("tail"),
        "flags of wait": flags("wait"),
        "flags of send": flags("send"),
        "flags of advance": flags("advance"),
        "flags of diff": flags("diff"),
        "flags of mcp": flags("mcp"),
        "tools of mcp": tools(),
        "client": client(),
        "plugin": sorted(
            [name for name in vars(plugin) if name.startswith("msgine")]
            + [f"--msgine-{name}" for name, *_ in plugin._OPTIONS]
            + [plugin._IGNORED, plugin._CLOCK]
        ),
    }


def flat(content: Any, at: str = "") -> set[str]:
    if isinstance(content, dict):
        return set().union(*(flat(value, f"{at}/{name}") for name, value in content.items()))
    if isinstance(content, list):
        return {f"{at}: {json.dumps(each)}" for each in content}
    return {f"{at}: {content}"}


if __name__ == "__main__":
    with receiving() as fresh:
        content = asyncio.run(words(fresh))
    WORDS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
