"""Two accounts on one sandbox: what one does never affects the other."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from typing import Any

import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from receiver import receiving

UNREACHABLE = "http://127.0.0.1:9/hooks"
Step = tuple[str, Any]


class Run:
    """An account on a frozen clock, and everything that its owner can see."""

    def __init__(self, box: Box, hooks: str) -> None:
        self.box = box
        self._hooks = hooks
        self._started_at: datetime
        self._answers: list[Any] = []

    async def start(self) -> "Run":
        now = (await self.box.freeze())["now"]
        self._started_at = datetime.fromisoformat(now)
        endpoints = [{"url": self._hooks}, {"url": UNREACHABLE, "events": ["message.sent"]}]
        await self.box.control("PUT", "/webhooks", {"endpoints": endpoints})
        return self

    async def perform(self, step: Step) -> None:
        verb, what = step
        await getattr(self, verb)(what)

    async def send(self, to: str) -> None:
        self._record(await self.box.send(to, key=f"key-{len(self._answers) % 5}"))

    async def advance(self, seconds: float) -> None:
        await self.box.advance(seconds=seconds)

    async def fault(self, effect: dict[str, Any]) -> None:
        body = {"effect": effect, "times": 1}
        self._record(await self.box.call("POST", "/_sandbox/faults", json=body))

    async def set_status(self, status: str) -> None:
        """Set the status of the newest message."""
        found = (await self.box.get("/_sandbox/messages", limit=1))["data"]
        if found:
            path = f"/_sandbox/messages/{found[0]['id']}/status"
            self._record(await self.box.call("POST", path, json={"status": status}))

    async def reset(self, _: None) -> None:
        await self.box.control("POST", "/reset")
        await self.start()

    async def seen(self) -> list[Any]:
        """Return everything that can be seen, with times since the start."""
        await self.box.advance(days=1)
        messages = (await self.box.get("/_sandbox/messages"))["data"]
        read = await self.box.call("GET", f"{BASE_PATH}/messages")
        return [
            self._answers,
            read.headers["x-ratelimit-remaining"],
            self._since((await self.box.get("/_sandbox/clock"))["now"]),
            [self._history(message) for message in messages],
            sorted(self._try(attempt) for attempt in await self.box.attempts()),
            [(f["match"], f["effect"], f["hits"]) for f in await self._listed("/faults")],
            [(r["method"], r["status"], _codes(r)) for r in await self._listed("/requests")],
            (await self.box.get("/_sandbox/coverage"))["met"],
        ]

    async def _listed(self, path: str) -> list[Any]:
        return (await self.box.get(f"/_sandbox{path}"))["data"]

    def _record(self, answer: Any) -> None:
        headers = answer.headers
        found = [answer.status_code, headers.get("x-ratelimit-remaining")]
        self._answers.append([*found, headers.get("idempotent-replayed")])

    def _history(self, message: dict[str, Any]) -> list[Any]:
        return [
            [each["to"], [(step["status"], self._since(step["at"])) for step in each["timeline"]]]
            for each in message["recipients"]
        ]

    def _try(self, attempt: dict[str, Any]) -> tuple[Any, ...]:
        at = self._since(attempt["at"])
        return at, attempt["event"], attempt["url"], attempt["attempt"], attempt["status"] or 0

    def _since(self, at: str) -> float:
        return (datetime.fromisoformat(at) - self._started_at).total_seconds()


def _codes(request: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in request["warnings"]]


steps = st.one_of(
    st.tuples(
        st.just("send"),
        st.sampled_from([NUMBER, *(f"+25670000{end}" for end in ("0001", "0005", "0007", "5032"))]),
    ),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 2, 60, 3600, 86_400])),
    st.tuples(
        st.just("fault"),
        st.sampled_from([{"status": 503}, {"webhook": "lose"}, {"webhook": "delay", "delay": 9}]),
    ),
    st.tuples(st.just("set_status"), st.sampled_from(["sent", "failed"])),
    st.tuples(st.just("reset"), st.none()),
)


@pytest.fixture(scope="module")
def perform_all() -> Iterator[Callable[[list[tuple[int, Step]]], list[Any]]]:
    """Return a function that lets two new accounts perform steps, and returns what each saw."""
    with receiving() as receiver, asyncio.Runner() as runner:
        context = sandbox()
        box = runner.run(context.__aenter__())

        async def run(taken: list[tuple[int, Step]]) -> list[Any]:
            runs = [await Run(box.other(), receiver.url).start() for _ in range(2)]
            for who, step in taken:
                await runs[who].perform(step)
            return [await each.seen() for each in runs]

        def perform_all(taken: list[tuple[int, Step]]) -> list[Any]:
            asked: Coroutine[Any, Any, list[Any]] = run(taken)
            return runner.run(asked)

        yield perform_all
        runner.run(context.__aexit__(None, None, None))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=st.lists(st.tuples(st.integers(0, 1), steps), max_size=14))
@example(
    taken=[
        (0, ("send", NUMBER)),
        (1, ("send", "+256700000005")),
        (0, ("advance", 86_400)),
        (1, ("fault", {"status": 503})),
        (0, ("reset", None)),
        (1, ("send", NUMBER)),
        (0, ("send", "+256700005032")),
        (1, ("advance", 2)),
    ]
)
def test_what_one_account_does_never_affects_another(
    perform_all: Callable[[list[tuple[int, Step]]], list[Any]], taken: list[tuple[int, Step]]
) -> None:
    together = perform_all(taken)
    alone = [perform_all([each for each in taken if each[0] == who])[who] for who in (0, 1)]
    assert together == alone
