"""HTTP client of the control API, `/_sandbox`, and the helpers that every part of it uses.

It uses the HTTP client of the standard library: importing httpx takes half as long as starting
a server, and each of its calls takes longer than the sandbox needs to answer.

Tests replace clocks, so none is read here: every timeout is one of a socket or of a selector.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  (which the first connection would import)
import json
import os
import selectors
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload
from urllib.parse import quote, urlencode, urlsplit

from msgine_sandbox.testing.blocking import WARN_AFTER, runs_in_event_loop, warn_of_blocking
from msgine_sandbox.testing.errors import SandboxError, SandboxUnreachable

if TYPE_CHECKING:
    from msgine_sandbox.testing.process import SandboxProcess

DEFAULT_TIMEOUT: Final = 30.0
"""Seconds to wait for a response, unless a call names its own timeout."""

MAX_ENTRIES: Final = 1000
"""The largest `limit` of a list of the control API, except that of the journal."""


_FAILURES: Final = (OSError, HTTPException, ValueError, RuntimeError)
"""What a connection can fail with: RuntimeError where a plugin keeps tests from the network."""

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""One that opens no descriptor of its own, because it is used for a moment, at each call."""
_create_connection = socket.create_connection  # the original, which tests replace

T = TypeVar("T")


class ControlClient:
    """Calls the control API of one sandbox over kept connections; thread-safe.

    `process` is the sandbox's, where this process started it: when it has ended, errors say why.
    """

    def __init__(
        self,
        origin: str,
        control_token: str | None,
        process: SandboxProcess | None = None,
        *,
        verify: bool = True,
    ) -> None:
        self.origin = origin
        self._process = process
        self._headers = {} if control_token is None else {"X-Control-Token": control_token}
        # OpenSSL's own defaults, so that SSL_CERT_FILE can name the CA of `--tls-ca`.
        self._tls = ssl.create_default_context() if origin.startswith("https:") else None
        if self._tls is not None and not verify:
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._closed = False
        self._process_id = os.getpid()

    def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        json: Any = None,
        params: Mapping[str, object] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Any:
        """Send a request below `/_sandbox` and return the JSON of the response, or its plain text.

        `token` chooses the account; None means the whole sandbox. Query parameters that are None
        are left out. The timeout is in seconds.

        Raises:
            SandboxError: the sandbox answers with an error.
            SandboxUnreachable: there is no response, or it does not come from a sandbox.
        """
        # A space as %20: the sandbox also takes a plus for itself.
        query = urlencode(without_none(params or {}), quote_via=quote)
        target = f"/_sandbox{path}{'?' if query else ''}{query}"
        return self._exchange(method, target, token, json, timeout)

    def call_api(self, method: str, path: str, token: str, *, json: Any = None) -> Any:
        """Send a request to the API, at a path from the root, and return the JSON of the response.

        Raises:
            SandboxError: the API answers with an error.
            SandboxUnreachable: there is no response, or it does not come from a sandbox.
        """
        return self._exchange(method, path, token, json, DEFAULT_TIMEOUT)

    @contextmanager
    def stream(
        self, path: str, token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Send a GET below `/_sandbox` and return the lines of the response, as they arrive.

        They end when the response does, or when nothing comes for `DEFAULT_TIMEOUT` seconds.

        Raises:
            SandboxError: the sandbox answers with an error.
            SandboxUnreachable: there is no response.
        """
        connection = None
        try:
            connection = self._new_connection(DEFAULT_TIMEOUT)
            asked = {**self._headers_for(token), **(headers or {})}
            connection.request("GET", f"{self._root}/_sandbox{path}", headers=asked)
            response = connection.getresponse()
            if response.status >= 400:
                _parse_response(self.origin, response.status, response.read())
            yield _read_lines(response)
        except _FAILURES as error:
            raise SandboxUnreachable(self._describe_failure(error)) from error
        finally:
            if connection is not None:
                connection.close()

    def check_connection(self) -> None:
        """Raise SandboxUnreachable unless a new connection can be opened."""
        try:
            connection = self._new_connection(DEFAULT_TIMEOUT)
            try:
                with warnings.catch_warnings(action="ignore"):  # pytest-socket warns, then raises
                    connection.connect()
            finally:
                connection.close()
        except _FAILURES as error:
            raise SandboxUnreachable(self._describe_failure(error)) from error

    def close(self) -> None:
        """Close the idle connections, and every other one after its current request."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self, method: str, target: str, token: str | None, body: Any, timeout: float
    ) -> Any:
        try:
            status, kind, content = self._send(
                method, target, self._headers_for(token), body, timeout
            )
        except _FAILURES as error:
            raise SandboxUnreachable(self._describe_failure(error)) from error
        if kind.startswith("text/plain") and status < 400:
            return content.decode()
        return _parse_response(self.origin, status, content)

    @property
    def _root(self) -> str:
        """The path of the origin, where a proxy serves the sandbox under one (`--root-path`)."""
        return urlsplit(self.origin).path

    def _headers_for(self, token: str | None) -> dict[str, str]:
        return self._headers | ({} if token is None else {"Authorization": f"Bearer {token}"})

    def _send(
        self, method: str, target: str, headers: dict[str, str], body: Any, timeout: float
    ) -> tuple[int, str, bytes]:
        """Return status, media type and body of the response."""
        connection = self._take_connection(timeout)
        content = None
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
            content = json.dumps(body).encode()
        try:
            connection.request(method, self._root + target, content, headers)
            if runs_in_event_loop() and not _is_readable(connection, WARN_AFTER):
                warn_of_blocking()
            response = connection.getresponse()
            received = response.read()
        except BaseException:
            connection.close()
            raise
        self._keep_connection(connection)
        return response.status, response.headers.get_content_type(), received

    def _keep_connection(self, connection: HTTPConnection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _take_connection(self, timeout: float) -> HTTPConnection:
        """Return an idle connection that is still open, or a new one."""
        while True:
            with self._lock:
                self._forget_if_forked()
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._new_connection(timeout)
            # The sandbox sends nothing unasked: what can be read is the end of the connection.
            if connection.sock is not None and not _is_readable(connection, 0):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()

    def _forget_if_forked(self) -> None:
        """Leave the connections and the sandbox to the process that this one is a fork of."""
        if self._process_id != os.getpid():
            self._process_id = os.getpid()
            self._process = None
            for connection in self._idle:
                connection.close()  # only here: they stay open in the other process
            self._idle.clear()

    def _new_connection(self, timeout: float) -> HTTPConnection:
        url = urlsplit(self.origin)
        if url.scheme not in {"http", "https"} or url.hostname is None:
            raise ValueError("that is not an http or https URL")
        connection: HTTPConnection
        if self._tls is not None:
            connection = HTTPSConnection(url.hostname, url.port, timeout=timeout, context=self._tls)
        else:
            connection = HTTPConnection(url.hostname, url.port, timeout=timeout)
        connection._create_connection = _create_connection  # type: ignore[attr-defined]
        return connection

    def _describe_failure(self, error: BaseException) -> str:
        if type(error).__module__ == "pytest_socket":
            host = urlsplit(self.origin).hostname
            return (
                f"pytest-socket blocks connections to the sandbox at {self.origin}: "
                f"run pytest with --allow-hosts={host}"
            )
        if self._process is not None:
            ended = self._process.failure(is_ending=isinstance(error, ConnectionError))
            if ended is not None:
                return ended
        return f"No sandbox answers at {self.origin}: {error or type(error).__name__}"


class AccountClient:
    """Calls the control API with the token of one account, or without one, for all of them."""

    def __init__(self, control: ControlClient, token: str | None) -> None:
        self._control = control
        self._token = token

    def get(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Any:
        """Return the JSON that a GET is answered with; parameters that are None are left out."""
        return self._control.call("GET", path, self._token, params=params, timeout=timeout)

    def get_list(
        self, path: str, limit: int, filters: Mapping[str, object]
    ) -> tuple[list[Any], int]:
        """Return the newest entries of a list, and how many there are in total.

        The sandbox ends an answer early that would be too large; then it is asked for the rest.
        """
        listed = self.get(path, {"limit": limit, **filters})
        entries, total = listed["data"], listed["total"]
        while listed.get("truncated") and listed["data"] and len(entries) < limit:
            rest = {"limit": limit - len(entries), **filters, "before": entries[-1]["id"]}
            listed = self.get(path, rest)
            entries += listed["data"]
        return entries, total

    def post(self, path: str, json: Any = None, *, timeout: float = DEFAULT_TIMEOUT) -> Any:
        """Return the JSON that a POST is answered with."""
        return self._control.call("POST", path, self._token, json=json, timeout=timeout)

    def put(self, path: str, json: Any) -> Any:
        """Return the JSON that a PUT is answered with."""
        return self._control.call("PUT", path, self._token, json=json)

    def patch(self, path: str, json: Any) -> Any:
        """Return the JSON that a PATCH is answered with."""
        return self._control.call("PATCH", path, self._token, json=json)

    def delete(self, path: str) -> int:
        """Return how many items a DELETE removed."""
        return int(self._control.call("DELETE", path, self._token)["deleted"])


class RemoteList(Generic[T]):
    """A list kept in the sandbox, newest first; every access fetches its newest entries."""

    most = MAX_ENTRIES
    """How many entries an access fetches at most."""

    def _fetch_newest(self, limit: int) -> tuple[list[T], int]:
        """Return the newest entries, and how many there are in total."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        return iter(self._fetch_newest(self.most)[0])

    def __len__(self) -> int:
        return self._fetch_newest(1)[1]

    def __bool__(self) -> bool:
        return len(self) > 0

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._fetch_newest(self.most)[0][index]

    def __repr__(self) -> str:
        return repr(list(self))


def parse_time(text: str) -> datetime:
    """Return the time that the control API writes in ISO 8601, with its time zone."""
    return datetime.fromisoformat(text)


def format_time(timestamp: datetime) -> str:
    """Return a time in ISO 8601, as the control API reads it.

    Raises:
        TypeError, ValueError: it is no datetime, or has no time zone, so it names no moment.
    """
    if not isinstance(timestamp, datetime):
        raise TypeError(f"{timestamp!r} is no datetime: pass one with a time zone")
    if timestamp.tzinfo is None:
        raise ValueError(f"{timestamp!r} has no time zone: add one, such as datetime.UTC")
    return timestamp.isoformat()


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without the members whose value is None."""
    return {name: value for name, value in values.items() if value is not None}


def _is_readable(connection: HTTPConnection, seconds: float) -> bool:
    """Return whether there is something to read within so many seconds, or the end."""
    with _Selector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def _read_lines(response: HTTPResponse) -> Iterator[bytes]:
    with suppress(*_FAILURES):  # the connection has ended in the middle of the response
        yield from response


def _parse_response(origin: str, status: int, body: bytes) -> Any:
    try:
        content = json.loads(body)
        if status < 400:
            return content
        error = content["error"]
        refused = SandboxError(
            error.get("message", ""),
            status=status,
            code=error.get("code", ""),
            details=error.get("details"),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as problem:
        raise SandboxUnreachable(
            f"The server at {origin} is not msgine-sandbox: it answered {status} without "
            "the JSON of the control API"
        ) from problem
    raise refused
