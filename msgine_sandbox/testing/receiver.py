"""A webhook receiver that remembers what came, and answers as it is told."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Mapping
from typing import Final

from msgine_sandbox.testing.account import Account
from msgine_sandbox.testing.errors import SandboxError, WebhookNotFound
from msgine_sandbox.testing.listener import Answer, Listener
from msgine_sandbox.testing.received import Received, fresh_secret, received

_LOCAL: Final = "127.0.0.1"
_ALL: Final = "0.0.0.0"  # noqa: S104  (only where a sandbox in a container is to reach it)
_SHOWN: Final = 10
_OK: Final = 200


class WebhookReceiver:
    """Receives the webhooks of an account from the moment it is built, until `close`.

    It is an endpoint of the account, with a secret of its own. A sandbox in a container reaches it
    under the name `host`; then it listens on all addresses.
    """

    def __init__(self, account: Account, *, host: str | None = None) -> None:
        self.secret = fresh_secret()
        self._account = account
        self._lock = threading.Condition()
        self._came: list[Received] = []
        self._answers: list[Answer] = []
        self._always = Answer()
        # A path of its own: what was meant for an earlier receiver on this port is not heard.
        path = f"/webhooks/{secrets.token_hex(8)}"
        self._listener = Listener(_LOCAL if host is None else _ALL, path, self._take)
        self.url = f"http://{host or _LOCAL}:{self._listener.server_port}{path}"
        try:
            account.webhooks.listen(self.url, secret=self.secret)
        except BaseException:
            self._listener.close()
            raise

    @property
    def received(self) -> list[Received]:
        """What has come, in order."""
        with self._lock:
            return list(self._came)

    @property
    def events(self) -> list[str]:
        """The events that have come, in order."""
        return [each.event for each in self.received]

    def wait_for(
        self,
        *,
        event: str | None = None,
        to: str | None = None,
        count: int = 1,
        timeout: float = 5,
    ) -> Received:
        """Give the latest of the first `count` webhooks that fit, as soon as they are there.

        Raises:
            WebhookNotFound: they did not come within so many seconds of real time.
        """
        __tracebackhide__ = True  # a failed test shows its own line
        with self._lock:
            if self._lock.wait_for(lambda: len(self._fitting(event, to)) >= count, timeout):
                return self._fitting(event, to)[count - 1]
            raise WebhookNotFound(self._told(event, to, count, timeout))

    def answer(
        self,
        status: int = _OK,
        *,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = b"ok",
        delay: float = 0,
    ) -> None:
        """Answer the next webhooks so, after those told before; without `times` all the others."""
        content = body.encode() if isinstance(body, str) else body
        self._plan(Answer(status, headers or {}, content, delay=delay), times)

    def drop(self, *, times: int | None = 1) -> None:
        """Close the connection of the next webhooks without an answer."""
        self._plan(Answer(drop=True), times)

    def clear(self) -> None:
        """Forget what came, and answer 200 again."""
        with self._lock:
            self._came.clear()
            self._answers.clear()
            self._always = Answer()

    def close(self) -> None:
        """Receive no more; the account no longer has it as an endpoint."""
        with contextlib.suppress(SandboxError):  # the sandbox may be gone before
            others = [each for each in self._account.webhooks.endpoints if each.url != self.url]
            self._account.webhooks.endpoints = others
        self._listener.close()

    def __enter__(self) -> WebhookReceiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        webhook = received(headers, body, self.secret)
        with self._lock:
            self._came.append(webhook)
            self._lock.notify_all()
            return self._answers.pop(0) if self._answers else self._always

    def _plan(self, answer: Answer, times: int | None) -> None:
        with self._lock:
            if times is None:
                self._always = answer
            else:
                self._answers += [answer] * times

    def _fitting(self, event: str | None, to: str | None) -> list[Received]:
        return [
            each for each in self._came if event in {None, each.event} and to in {None, each.to}
        ]

    def _told(self, event: str | None, to: str | None, count: int, timeout: float) -> str:
        asked = [f"{name}={value!r}" for name, value in (("event", event), ("to", to)) if value]
        wanted = " with ".join(["webhook", *([", ".join(asked)] if asked else [])])
        there = len(self._fitting(event, to))
        head = f"{there} of {count} came" if there else f"No {wanted} came"
        if not self._came:
            return f"{head} within {timeout:g} s, and no other one either."
        lines = [f"  {each.event} to {each.to}" for each in self._came[-_SHOWN:]]
        return "\n".join(
            [f"{head} within {timeout:g} s. Those that did come, newest last:", *lines]
        )
