"""Webhook receiver for tests: records and verifies the webhooks of an account and answers them."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgine_sandbox.model.characters import printable
from msgine_sandbox.services.webhooks.signature import PREFIX, key_of, signature
from msgine_sandbox.testing.account import Account
from msgine_sandbox.testing.blocking import WARN_AFTER, runs_in_event_loop, warn_of_blocking
from msgine_sandbox.testing.errors import SandboxError, WebhookNotFound
from msgine_sandbox.testing.listener import ReceiverResponse, WebhookListener

_LOOPBACK: Final = "127.0.0.1"
_ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  (only where a container has to reach the receiver)
_SECRET_BYTES: Final = 24
_MAX_LISTED: Final = 10
_DAY: Final = 24 * 60 * 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One webhook that arrived; the names of `headers` are in lower case."""

    event: str
    message_id: str
    to: str
    status: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    content: Any = field(repr=False)
    """The body as JSON; None if it is not JSON."""
    verified: bool | None
    """Whether the signature matches the receiver's secret; None without a signature."""

    @property
    def id(self) -> str:
        """The `webhook-id`, the same for every attempt; empty without a signature."""
        return self.headers.get("webhook-id", "")


class WebhookReceiver:
    """Receives the webhooks of an account, from its construction until `close`.

    It is an endpoint of the account, with a secret of its own. With `host` it listens on all
    addresses, for a sandbox in a container that reaches this machine under that name.
    """

    def __init__(self, account: Account, *, host: str | None = None) -> None:
        self.secret = PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        self._account = account
        self._lock = threading.Lock()  # guards everything that the listener's threads use
        self._received: list[Received] = []
        self._waits: list[_Wait] = []
        self._next_responses: list[ReceiverResponse] = []
        self._default_response = ReceiverResponse()
        # A random path, since an earlier receiver may have had the same port: webhooks for that
        # one must not be recorded here.
        path = f"/webhooks/{secrets.token_hex(8)}"
        address = _LOOPBACK if host is None else _ALL_ADDRESSES
        self._listener = WebhookListener(address, path, self._handle)
        self.url = f"http://{host or _LOOPBACK}:{self._listener.server_port}{path}"
        try:
            account.webhooks.listen(self.url, secret=self.secret)
        except BaseException:
            self._listener.close()
            raise

    @property
    def received(self) -> list[Received]:
        """The webhooks that arrived, in order."""
        with self._lock:
            return list(self._received)

    @property
    def events(self) -> list[str]:
        """The events of the webhooks that arrived, in order."""
        return [webhook.event for webhook in self.received]

    def wait_for(
        self,
        *,
        event: str | None = None,
        to: str | None = None,
        count: int = 1,
        jump: bool | None = None,
        timeout: float = 5,
    ) -> Received:
        """Wait until `count` matching webhooks have arrived and return the last of those.

        With `jump`, the account's clock first moves to what is due next, again until they have
        arrived or nothing is due within 24 hours. None means to do so if the account starts frozen.
        The timeout is in seconds of real time.

        Raises:
            WebhookNotFound: fewer arrived in time; the error lists those that did arrive.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test that waits
        wait = _Wait(event, to, count)
        with self._lock:
            wait.add(self._received)
            self._waits.append(wait)
        if self._account.starts_frozen if jump is None else jump:
            self._move_on(wait)
        wait.until_found(timeout)
        with self._lock:
            self._waits.remove(wait)
            if wait.found is None:
                raise WebhookNotFound(self._describe_timeout(event, to, count, timeout))
            return wait.found

    def answer(
        self,
        status: int = 200,
        *,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = b"ok",
        delay: float = 0,
    ) -> None:
        """Answer the next `times` webhooks like this; with None, all that follow.

        Answers are used in the order in which they were set, the one for all after the others. The
        delay is in seconds of real time.
        """
        content = body.encode() if isinstance(body, str) else body
        self._add_response(ReceiverResponse(status, headers or {}, content, delay=delay), times)

    def drop(self, *, times: int | None = 1) -> None:
        """Close the connection of the next `times` webhooks without a response."""
        self._add_response(ReceiverResponse(drop=True), times)

    def clear(self) -> None:
        """Forget the webhooks that arrived and the answers that were set; answer 200 again."""
        with self._lock:
            self._received.clear()
            self._next_responses.clear()
            self._default_response = ReceiverResponse()

    def close(self) -> None:
        """Stop receiving, and remove the endpoint from the account."""
        with contextlib.suppress(SandboxError):  # the sandbox may have stopped before
            webhooks = self._account.webhooks
            webhooks.endpoints = [each for each in webhooks.endpoints if each.url != self.url]
        self._listener.close()

    def __enter__(self) -> WebhookReceiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _handle(self, headers: Mapping[str, str], body: bytes) -> ReceiverResponse:
        webhook = _parse_webhook(headers, body, self.secret)
        with self._lock:
            self._received.append(webhook)
            for wait in self._waits:
                wait.add([webhook])
            return self._next_responses.pop(0) if self._next_responses else self._default_response

    def _move_on(self, wait: _Wait) -> None:
        """Move the account's clock until a wait has found its webhook, as far as that helps."""
        clock = self._account.clock
        while wait.found is None and (due := clock.next) is not None and due.in_seconds <= _DAY:
            if clock.advance(until="next") == 0:
                break

    def _add_response(self, response: ReceiverResponse, times: int | None) -> None:
        with self._lock:
            if times is None:
                self._default_response = response
            else:
                self._next_responses += [response] * times

    def _describe_timeout(
        self, event: str | None, to: str | None, count: int, timeout: float
    ) -> str:
        filters = [f"{name}={value!r}" for name, value in (("event", event), ("to", to)) if value]
        wanted = "webhook" + (f" with {', '.join(filters)}" if filters else "")
        matching = sum(_matches(each, event, to) for each in self._received)
        head = f"Only {matching} of {count}" if matching else f"No {wanted}"
        head += f" arrived within {timeout:g} s."
        if not self._received:
            return f"{head} The receiver got no webhooks."
        lines = [
            printable(f"  {each.event} to {each.to}") for each in self._received[-_MAX_LISTED:]
        ]
        return "\n".join([f"{head} Received, newest last:", *lines])


class _Wait:
    """A wait for the webhook that is the `count`-th to match.

    Not `Condition.wait_for`, which reads a clock that tests replace.
    """

    def __init__(self, event: str | None, to: str | None, count: int) -> None:
        self._event = event
        self._to = to
        self._missing = count
        self._done = threading.Event()
        self.found: Received | None = None

    def add(self, webhooks: Iterable[Received]) -> None:
        """Count the webhooks that match; called with the receiver's lock held."""
        for webhook in webhooks:
            if self.found is None and _matches(webhook, self._event, self._to):
                self._missing -= 1
                if self._missing <= 0:
                    self.found = webhook
                    self._done.set()

    def until_found(self, timeout: float) -> None:
        """Return once it is found, or after so many seconds."""
        if runs_in_event_loop() and timeout > WARN_AFTER:
            if self._done.wait(WARN_AFTER):
                return
            warn_of_blocking()
            timeout -= WARN_AFTER
        self._done.wait(timeout)


def _matches(webhook: Received, event: str | None, to: str | None) -> bool:
    return event in {None, webhook.event} and to in {None, webhook.to}


def _parse_webhook(headers: Mapping[str, str], body: bytes, secret: str) -> Received:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    members = content if isinstance(content, dict) else {}
    return Received(
        event=str(members.get("event", "")),
        message_id=str(members.get("messageId", "")),
        to=str(members.get("to", "")),
        status=str(members.get("status", "")),
        headers=headers,
        body=body,
        content=content,
        verified=_verify(headers, body, secret),
    )


def _verify(headers: Mapping[str, str], body: bytes, secret: str) -> bool | None:
    """Return whether one of the signatures is right; None without a signature.

    As in Standard Webhooks 1.0, but the timestamp may be of any age.
    """
    signatures = headers.get("webhook-signature")
    if signatures is None:
        return None
    try:
        timestamp = int(headers["webhook-timestamp"])
    except (LookupError, ValueError):
        return False
    expected = signature(key_of(secret), headers.get("webhook-id", ""), timestamp, body)
    return any(secrets.compare_digest(each, expected) for each in signatures.split())
