"""A commit that fails changes nothing, in the file or in memory, wherever it happens."""

import ast
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import DEVELOPERS, Box, boxed
from failing_disk import FULL, FailingDisk
from matching import assert_refused, differences
from receiver import Receiver
from sends import EMAIL, PUSH, SMS
from snapshot import snapshot

import msgine_sandbox
from msgine_sandbox.routes import api_routes, control_routes
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.feed import Feed, RequestRef
from msgine_sandbox.settings import BASE_PATH, Settings
from msgine_sandbox.storage.store import Store

REFUSED_FIRST = "+256700004290"  # a magic recipient, whose requests are refused


@dataclass
class World:
    """An account that has something of everything, on a sandbox whose disk can fail."""

    box: Box
    disk: FailingDisk
    feed: Feed
    message: str
    attempt: str
    fault: str

    async def call(self, method: str, path: str, json: Any = None) -> httpx.Response:
        return await self.box.call(method, path, json=json)

    async def settled(self) -> dict[str, Any]:
        """Return all that is visible once the webhooks that are due have been sent."""
        await self.box.advance(seconds=0)
        return await self.everything()

    async def everything(self) -> dict[str, Any]:
        """Return all that is visible, without what the failed request itself has left."""
        box, anonymous = self.box, self.box.anonymous
        overview = await box.developers("GET", "/analytics/overview")
        accounts = (await anonymous.get("/_sandbox/accounts"))["data"]
        for each in accounts:
            each.pop("clock")
        requests = (await anonymous.get("/_sandbox/requests", limit=1000))["data"]
        coverage = await box.get("/_sandbox/coverage")
        return {
            "account": (await snapshot(box))[:-1],
            "accounts": accounts,
            "clocks": [await clock(box), await clock(anonymous)],
            "messages": (await anonymous.get("/_sandbox/messages"))["data"],
            "faults": await box.get("/_sandbox/faults"),
            "faults of all": await anonymous.get("/_sandbox/faults"),
            "requests": [
                each["id"]
                for each in requests
                if each["status"] != 503 and "analytics" not in each["path"]
            ],
            "met": [each for each in coverage["met"] if not each.startswith("503")],
            "overview": overview,
            "events": [
                type(each.what).__name__
                for position in range(0, 1000, 100)
                for each in self.feed.after(position)
                if type(each.what) is not RequestRef
            ],
        }


async def clock(box: Box) -> list[Any]:
    """Return a clock: if it is frozen exactly, else how far it is ahead."""
    found = await box.get("/_sandbox/clock")
    ahead = round(found["aheadSeconds"] / 600)
    return [found["frozen"], ahead, found["now"] if found["frozen"] else None]


Run = Callable[[World], Awaitable[httpx.Response]]


@dataclass
class Operation:
    """A request that writes."""

    route: str
    run: Run
    repeatable: bool = True
    """Whether it can be repeated where only a later one of its commits failed."""


def call(method: str, path: str, json: Any = None, **fields: Any) -> Run:
    async def run(world: World) -> httpx.Response:
        names = {"message": world.message, "attempt": world.attempt, "fault": world.fault}
        return await world.call(method, path.format_map(names), json)

    return run


def for_all(method: str, path: str, json: Any = None) -> Run:
    async def run(world: World) -> httpx.Response:
        return await world.box.anonymous.call(method, path, json=json)

    return run


def with_key(world: World) -> Awaitable[httpx.Response]:
    return world.box.send(key="fresh")


def of_a_new_account(world: World) -> Awaitable[httpx.Response]:
    return world.box.other("test_new_account").send()


def reading_as_a_new_account(world: World) -> Awaitable[httpx.Response]:
    return world.box.other("test_new_reader").call("GET", f"{BASE_PATH}/messages")


ENDPOINTS = {"endpoints": [{"url": "http://localhost:1/other"}]}
HOUR = {"seconds": 3600}
FAULT = {"effect": {"status": 500}, "match": {"to": "+256701999999"}}
SCENARIO = {
    "senderId": "Loaded",
    "frozen": True,
    "endpoints": ENDPOINTS["endpoints"],
    "faults": [FAULT],
    "messages": [SMS | {"secondsAgo": 60}, PUSH | {"channel": "push"}],
}
DEVICE = {"token": "token-of-a-phone", "platform": "ios"}
OPERATIONS = {
    "an SMS": Operation("POST /messages/sms", call("POST", f"{BASE_PATH}/messages/sms", SMS)),
    "an SMS with a key": Operation("POST /messages/sms", with_key),
    "an SMS of a new account": Operation("POST /messages/sms", of_a_new_account),
    "an SMS to which a fault applies": Operation(
        "POST /messages/sms",
        call("POST", f"{BASE_PATH}/messages/sms", SMS | {"to": "+256701234599"}),
        repeatable=False,
    ),
    "an SMS whose delivery a fault decides": Operation(
        "POST /messages/sms",
        call("POST", f"{BASE_PATH}/messages/sms", SMS | {"to": "+256701234598"}),
    ),
    "an SMS to a magic number": Operation(
        "POST /messages/sms",
        call("POST", f"{BASE_PATH}/messages/sms", SMS | {"to": REFUSED_FIRST}),
    ),
    "a read of a new account": Operation("GET /messages", reading_as_a_new_account),
    "an SMS of the Developers API": Operation(
        "POST /developers/sms", call("POST", f"{DEVELOPERS}/sms", SMS)
    ),
    "an email": Operation("POST /developers/email", call("POST", f"{DEVELOPERS}/email", EMAIL)),
    "a push": Operation("POST /developers/push", call("POST", f"{DEVELOPERS}/push", PUSH)),
    "a device": Operation(
        "POST /developers/push/device",
        call("POST", f"{DEVELOPERS}/push/device", DEVICE | {"token": "another-phone"}),
    ),
    "a device that is removed": Operation(
        "DELETE /developers/push/device", call("DELETE", f"{DEVELOPERS}/push/device", DEVICE)
    ),
    "settings": Operation(
        "PATCH /_sandbox/account", call("PATCH", "/_sandbox/account", {"senderId": "Changed"})
    ),
    "endpoints": Operation("PUT /_sandbox/webhooks", call("PUT", "/_sandbox/webhooks", ENDPOINTS)),
    "a resend": Operation(
        "POST /_sandbox/webhooks/attempts/{id}/resend",
        call("POST", "/_sandbox/webhooks/attempts/{attempt}/resend"),
    ),
    "an advance": Operation(
        "POST /_sandbox/clock/advance",
        call("POST", "/_sandbox/clock/advance", HOUR),
        repeatable=False,
    ),
    "an advance of all": Operation(
        "POST /_sandbox/clock/advance",
        for_all("POST", "/_sandbox/clock/advance", HOUR),
        repeatable=False,
    ),
    "an advance to what is due next": Operation(
        "POST /_sandbox/clock/advance",
        call("POST", "/_sandbox/clock/advance", {"until": "next"}),
        repeatable=False,
    ),
    "an advance until nothing is due": Operation(
        "POST /_sandbox/clock/advance",
        call("POST", "/_sandbox/clock/advance", {"until": "idle"}),
        repeatable=False,
    ),
    "an advance of all until nothing is due": Operation(
        "POST /_sandbox/clock/advance",
        for_all("POST", "/_sandbox/clock/advance", {"until": "idle"}),
        repeatable=False,
    ),
    "a wait that moves the clock": Operation(
        "GET /_sandbox/messages/wait",
        call("GET", "/_sandbox/messages/wait?status=delivered&jump=true&timeout=0"),
        repeatable=False,
    ),
    "a resume": Operation("POST /_sandbox/clock/resume", call("POST", "/_sandbox/clock/resume")),
    "a resume of all": Operation(
        "POST /_sandbox/clock/resume", for_all("POST", "/_sandbox/clock/resume")
    ),
    "a freeze": Operation("POST /_sandbox/clock/freeze", call("POST", "/_sandbox/clock/freeze")),
    "a freeze of all": Operation(
        "POST /_sandbox/clock/freeze", for_all("POST", "/_sandbox/clock/freeze")
    ),
    "a fault": Operation("POST /_sandbox/faults", call("POST", "/_sandbox/faults", FAULT)),
    "a fault of all": Operation(
        "POST /_sandbox/faults", for_all("POST", "/_sandbox/faults", FAULT)
    ),
    "faults that are removed": Operation(
        "DELETE /_sandbox/faults", call("DELETE", "/_sandbox/faults")
    ),
    "a fault that is removed": Operation(
        "DELETE /_sandbox/faults/{id}", call("DELETE", "/_sandbox/faults/{fault}")
    ),
    "a status": Operation(
        "POST /_sandbox/messages/{id}/status",
        call("POST", "/_sandbox/messages/{message}/status", {"status": "delivered"}),
    ),
    "a deleted message": Operation(
        "DELETE /_sandbox/messages/{id}", call("DELETE", "/_sandbox/messages/{message}")
    ),
    "an emptied inbox": Operation(
        "DELETE /_sandbox/messages", call("DELETE", "/_sandbox/messages")
    ),
    "an emptied inbox of all": Operation(
        "DELETE /_sandbox/messages", for_all("DELETE", "/_sandbox/messages")
    ),
    "a scenario": Operation(
        "PUT /_sandbox/scenario", call("PUT", "/_sandbox/scenario", {"accounts": [SCENARIO]})
    ),
    "a reset": Operation("POST /_sandbox/reset", call("POST", "/_sandbox/reset")),
    "a reset of all": Operation("POST /_sandbox/reset", for_all("POST", "/_sandbox/reset")),
}
# The journal is in memory, a ticket is a text that is checked by itself, an estimate sends nothing.
STORES_NOTHING = {
    "DELETE /_sandbox/requests",
    "POST /_sandbox/messages/estimate",
    "POST /_sandbox/messages/{id}/ticket",
}
EACH = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@asynccontextmanager
async def world(receiver: Receiver) -> AsyncIterator[World]:
    """Run a sandbox with an account that has something of everything, and a second account."""
    built = Sandbox(Settings(tier="unlimited", sent_after=600, delivered_after=1200))
    disk = FailingDisk(built.store.database)
    async with boxed(built) as box:
        box = box.other("test_world")
        await box.anonymous.freeze()
        await box.other("test_neighbour").accepted()
        await built.feed.start()  # from here on events are kept
        await box.listen(receiver.url)
        message = await box.accepted(key="known")
        await box.developers("POST", "/push/device", DEVICE)
        fault = await box.add_fault({"status": 503}, match={"to": "+256701234599"}, times=2)
        await box.add_fault({"webhook": "duplicate"}, times=2)
        await box.add_fault({"delivery": "refused"}, match={"to": "+256701234598"}, times=2)
        await box.advance(seconds=600)
        [attempt, *_] = await box.attempts()
        yield World(box, disk, built.feed, message["id"], attempt["id"], fault["id"])


_DIFFER = re.compile(
    r"(acc|att|dev|evt|flt|msg|req|SM)_?[0-9a-f]{16}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|127\.0\.0\.1:[0-9]+"
)
_UNLIKE = {
    "durationMs",
    "aheadSeconds",
    "inSeconds",
    "date",
    "server",
    "webhook-id",
    "webhook-timestamp",
}


def masked(value: Any) -> Any:
    """Return a value without what differs from run to run: identifiers, times and ports."""
    match value:
        case dict():
            return {name: masked(each) for name, each in value.items() if name not in _UNLIKE}
        case list() | tuple():
            return [masked(each) for each in value]
        case str():
            return _DIFFER.sub("*", value)
    return value


async def without_a_failure(operation: Operation, receiver: Receiver) -> tuple[int, Any, int]:
    """Return the response, what is visible afterwards, and how many commits it takes."""
    async with world(receiver) as here:
        await here.everything()  # which coverage counts
        before = here.disk.commits
        answer = await operation.run(here)
        commits = here.disk.commits - before
        return answer.status_code, masked([answer.json(), await here.settled()]), commits


@EACH
async def test_an_operation_whose_commit_fails_changes_nothing_and_succeeds_later(
    operation: Operation, receiver: Receiver
) -> None:
    status, expected, commits = await without_a_failure(operation, receiver)
    assert commits > 0
    async with world(receiver) as here:
        before = await here.everything()
        here.disk.fail()
        for _ in range(2):
            error = assert_refused(await operation.run(here), 503, "service_unavailable")
            assert FULL in error["message"]
            assert await here.everything() == before
        here.disk.work()
        answer = await operation.run(here)
        assert answer.status_code == status, answer.text
        actual = masked([answer.json(), await here.settled()])
        assert list(differences(expected, actual)) == []


@EACH
async def test_an_operation_whose_later_commit_fails_can_be_repeated(
    operation: Operation, receiver: Receiver
) -> None:
    status, expected, commits = await without_a_failure(operation, receiver)
    for after in range(1, commits):
        async with world(receiver) as here:
            here.disk.fail(after=after)
            answer = await operation.run(here)
            if answer.is_success:
                continue  # what failed is only to keep the file small
            assert_refused(answer, 503, "service_unavailable")
            here.disk.work()
            answer = await operation.run(here)
            assert answer.status_code == status, answer.text
            if operation.repeatable:
                actual = masked([answer.json(), await here.settled()])
                assert list(differences(expected, actual)) == []


def test_every_route_that_writes_is_among_the_operations() -> None:
    built = Sandbox(Settings())
    routes = [api_routes(built), control_routes(built)]
    writing = {
        f"{method} {each.path}"
        for found in routes
        for each in found.resources
        for method in each.handlers.keys() - {"GET", "HEAD"}
    }
    covered = {each.route for each in OPERATIONS.values()}
    assert writing <= covered | STORES_NOTHING


def writing_places() -> Iterator[tuple[str, int]]:
    """Return every line of the services that begins a write transaction."""
    for module in (Path(msgine_sandbox.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.AsyncWith):
                for item in node.items:
                    if ast.unparse(item.context_expr).endswith("store.write()"):
                        yield module.name, item.context_expr.lineno


async def test_every_place_that_writes_is_reached_by_an_operation(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = set()
    write = Store.write

    def noting(store: Store) -> Any:
        caller = sys._getframe(1)
        reached.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
        return write(store)

    monkeypatch.setattr(Store, "write", noting)
    for operation in OPERATIONS.values():
        async with world(receiver) as here:
            await operation.run(here)
    places = set(writing_places())
    assert len(places) > 10
    # A webhook whose message was deleted while it was due, which takes a race.
    gone = min(place for place in places if place[0] == "sender.py")
    # What is too old is deleted in the background.
    retention = {place for place in places if place[0] == "retention.py"}
    # What the file of a scenario has is stored at the start.
    filling = min(place for place in places if place[0] == "reset.py")
    assert places - reached <= {gone, filling} | retention


async def test_an_account_whose_opening_failed_at_first_is_named_as_any_other() -> None:
    built = Sandbox(Settings())
    async with boxed(built) as box:
        await box.get("/_sandbox/account")
        later, disk = box.other("of-production-4711"), FailingDisk(built.store.database)
        disk.fail(times=1)
        assert_refused(await later.call("GET", "/_sandbox/account"), 503, "service_unavailable")
        assert (await later.get("/_sandbox/account"))["token"] == "of-pr…4711"
