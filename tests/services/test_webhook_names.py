"""Host names of webhook receivers: look-ups that hang, fail, or are replaced by a test."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from box import Box, sandbox
from receiver import Receiver

from msgine_sandbox.services.webhooks import resolver
from msgine_sandbox.services.webhooks.resolver import MAX_LOOKUPS_PER_ACCOUNT, Resolver

pytestmark = pytest.mark.both_loops


class Names:
    """What the system answers when it is asked for a name, in place of name servers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()
        """Set once the names that hang are answered."""
        self._running = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def getaddrinfo(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            self.asked.append(host)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            return self._answer(host, port)
        finally:
            with self._lock:
                self._running -= 1

    def _answer(self, host: str, port: int) -> Any:
        if host.endswith(".hangs.test"):
            assert self.answers.wait(60)
        elif host.endswith(".fails.test"):
            raise OSError("Too many open files")
        elif host.endswith(".forbidden.test"):
            raise RuntimeError("a test may not look up names")
        elif host.endswith(".unknown.test"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    replaced = Names()
    monkeypatch.setattr(socket, "getaddrinfo", replaced.getaddrinfo)
    yield replaced
    replaced.answers.set()


def url(receiver: Receiver, host: str) -> str:
    return receiver.url.replace("127.0.0.1", host)


async def sent(box: Box, *hosts: str, receiver: Receiver) -> None:
    """Send a message with a callback to each host; what falls due by itself follows."""
    for host in hosts:
        await box.accepted("+256700000004", callbackUrl=url(receiver, host))


async def errors(box: Box, *hosts: str, receiver: Receiver) -> list[str]:
    """Send a message with a callback to each host, and return the errors of the attempts."""
    await box.freeze()
    await sent(box, *hosts, receiver=receiver)
    await box.advance(seconds=1)
    return [each["error"] for each in await box.attempts()]


FLAGS: dict[str, Any] = {"tier": "unlimited", "sent_after": 0, "delivered_after": 0}


async def test_names_that_hang_do_not_delay_other_accounts(
    names: Names, receiver: Receiver
) -> None:
    async with sandbox(**FLAGS) as box:
        await sent(box, *[f"{n}.hangs.test" for n in range(40)], receiver=receiver)
        await sent(box.other(), "a.test", "localhost", "127.0.0.1", receiver=receiver)
        await receiver.until(3)
        assert await box.attempts() == []
        assert names.most_at_once <= MAX_LOOKUPS_PER_ACCOUNT + 1
        names.answers.set()
        await receiver.until(43)
        await box.anonymous.advance(seconds=0)  # until all of them have been answered


async def test_a_name_that_hangs_does_not_delay_other_names_of_the_account(
    names: Names, receiver: Receiver
) -> None:
    async with sandbox(**FLAGS) as box:
        await sent(box, *["a.hangs.test"] * 20, "a.test", receiver=receiver)
        await receiver.until(1)
        assert names.asked.count("a.hangs.test") == 1


async def test_all_look_ups_are_bounded_and_accounts_take_turns(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_LOOKUPS", 3)
    looking_up = Resolver()
    wanted = [(1, f"{n}.hangs.test") for n in range(10)] + [(2, "a.test")]
    lookups = [asyncio.create_task(looking_up.addresses(*each, 80)) for each in wanted]
    await asyncio.sleep(0)  # now each of them has begun, and eight wait
    names.answers.set()
    assert all(await asyncio.gather(*lookups))
    assert names.most_at_once <= 3
    assert names.asked.index("a.test") == 3  # the next that ran


async def test_a_name_that_is_not_resolved_in_time_is_an_error_of_its_own(
    names: Names, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_LOOKUPS", 1)
    async with sandbox(**FLAGS, webhook_timeout=0.2) as box:
        hosts = ("a.hangs.test", "b.hangs.test")  # the second one has no turn
        assert await errors(box, *hosts, receiver=receiver) == [
            "a.hangs.test was not resolved within 0.2 s",
            "b.hangs.test was not resolved within 0.2 s",
        ]
        assert names.asked == ["a.hangs.test"]


async def test_a_look_up_that_nobody_waits_for_any_more_takes_no_turn(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_LOOKUPS", 1)
    looking_up = Resolver()
    hosts = ("a.hangs.test", "b.hangs.test", "c.test")
    first, second, third = (
        asyncio.create_task(looking_up.addresses(1, host, 80)) for host in hosts
    )
    await asyncio.sleep(0)  # now the first one runs, and the others wait
    second.cancel()
    names.answers.set()
    assert await first == await third
    assert names.asked == ["a.hangs.test", "c.test"]


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("a.unknown.test", "ConnectError: a.unknown.test has no address"),
        ("a.fails.test", "OSError: a.fails.test cannot be looked up: Too many open files"),
        (
            "a.forbidden.test",
            "OSError: a.forbidden.test cannot be looked up: a test may not look up names",
        ),
    ],
)
async def test_a_look_up_that_fails_is_an_error(
    names: Names, receiver: Receiver, host: str, error: str
) -> None:
    async with sandbox(**FLAGS) as box:
        assert await errors(box, host, receiver=receiver) == [error]
        assert names.asked == [host]


async def test_without_threads_a_look_up_fails(
    names: Names, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with sandbox(**FLAGS) as box:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            expected = "OSError: a.test cannot be looked up: can't start new thread"
            assert await errors(box, "a.test", receiver=receiver) == [expected]


@pytest.mark.parametrize("host", ["localhost", "localhost.", "app.localhost", "127.0.0.1"])
async def test_names_of_this_machine_are_not_looked_up(
    names: Names, receiver: Receiver, host: str
) -> None:
    async with sandbox(**FLAGS) as box:
        await sent(box, host, receiver=receiver)
        await receiver.until(1)
        assert names.asked == []
        assert receiver.received[0].headers["host"].startswith(f"{host}:")
