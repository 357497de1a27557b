"""One sandbox's control API, as calls that answer with JSON or raise.

Over the standard library's own client: importing another takes as long as half a server's start,
and each call of it longer than the sandbox does.
"""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from msgine_sandbox.testing.errors import SandboxError, SandboxUnreachable

_PATIENCE: Final = 30.0  # seconds for an answer, where a call does not say that it takes longer
_IDLE: Final = 2.0  # seconds; a sandbox closes a connection that is idle for five


class Wire:
    """Calls `/_sandbox` of one sandbox; safe to use from several threads."""

    def __init__(self, origin: str, control_token: str | None, *, verify: bool = True) -> None:
        self.origin = origin
        self._headers = {} if control_token is None else {"X-Control-Token": control_token}
        # OpenSSL's own defaults, so that SSL_CERT_FILE can name the authority of `--tls-ca`.
        self._tls = ssl.create_default_context() if origin.startswith("https:") else None
        if self._tls is not None and not verify:
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._lock = threading.Lock()
        self._idle: list[tuple[HTTPConnection, float]] = []
        self._closed = False

    def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        json: Any = None,
        params: Mapping[str, object] | None = None,
        timeout: float = _PATIENCE,
    ) -> Any:
        """Give the JSON that a call is answered with; parameters that are None are left out.

        Raises:
            SandboxError: the sandbox refuses it.
            SandboxUnreachable: no sandbox answers.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        target = f"/_sandbox{path}{'?' if given else ''}{urlencode(given)}"
        headers = self._headers | ({} if token is None else {"Authorization": f"Bearer {token}"})
        try:
            status, content = self._ask(method, target, headers, json, timeout)
        except (OSError, HTTPException, ValueError) as error:
            raise SandboxUnreachable(
                f"No sandbox answers at {self.origin}: {error or type(error).__name__}"
            ) from error
        return _content(self.origin, status, content)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def _ask(
        self, method: str, target: str, headers: Mapping[str, str], body: Any, timeout: float
    ) -> tuple[int, bytes]:
        connection = self._connection(timeout)
        sent = None
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
            sent = json.dumps(body).encode()
        try:
            connection.request(method, target, sent, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer.status, content

    def _keep(self, connection: HTTPConnection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((connection, time.monotonic()))
                return
        connection.close()

    def _connection(self, timeout: float) -> HTTPConnection:
        """Give a connection that is there already, unless the sandbox may be about to close it."""
        while True:
            with self._lock:
                connection, used = self._idle.pop() if self._idle else (None, 0.0)
            if connection is None:
                return self._connected(timeout)
            if connection.sock is not None and time.monotonic() - used < _IDLE:
                connection.sock.settimeout(timeout)
                return connection
            connection.close()

    def _connected(self, timeout: float) -> HTTPConnection:
        parts = urlsplit(self.origin)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ValueError("that is no http or https URL")
        if self._tls is not None:
            return HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=self._tls)
        return HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def _content(origin: str, status: int, body: bytes) -> Any:
    try:
        content = json.loads(body)
        error = content["error"] if status >= 400 else None
    except (ValueError, LookupError, TypeError) as problem:
        raise SandboxUnreachable(
            f"What answers at {origin} is no msgine-sandbox: {status} without its JSON"
        ) from problem
    if error is not None:
        raise SandboxError(
            error.get("message", ""),
            status=status,
            code=error.get("code", ""),
            details=error.get("details"),
        )
    return content
