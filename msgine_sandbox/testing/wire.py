"""One sandbox's control API, as calls that answer with JSON or raise."""

import ssl
from collections.abc import Mapping
from typing import Any, Final

import httpx

from msgine_sandbox.testing.errors import SandboxError, SandboxUnreachable

_PATIENCE: Final = 30.0  # seconds for an answer, where a call does not say that it takes longer
_IDLE: Final = 2.0  # seconds; a sandbox closes a connection that is idle for five


class Wire:
    """Calls `/_sandbox` of one sandbox; safe to use from several threads."""

    def __init__(self, origin: str, control_token: str | None, *, verify: bool = True) -> None:
        self.origin = origin
        # OpenSSL's own defaults, so that SSL_CERT_FILE can name the authority of `--tls-ca`.
        secure = origin.startswith("https:") and verify
        self._http = httpx.Client(
            base_url=f"{origin}/_sandbox",
            headers={} if control_token is None else {"X-Control-Token": control_token},
            verify=ssl.create_default_context() if secure else False,
            trust_env=False,
            timeout=_PATIENCE,
            limits=httpx.Limits(keepalive_expiry=_IDLE),
        )

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
        try:
            answer = self._http.request(
                method,
                path,
                headers={} if token is None else {"Authorization": f"Bearer {token}"},
                json=json,
                params=httpx.QueryParams({name: str(value) for name, value in given.items()}),
                timeout=timeout,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SandboxUnreachable(
                f"No sandbox answers at {self.origin}: {error or type(error).__name__}"
            ) from error
        return _content(self.origin, answer)

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def _content(origin: str, answer: httpx.Response) -> Any:
    try:
        content = answer.json()
        error = content["error"] if answer.is_error else None
    except (ValueError, LookupError, TypeError) as problem:
        raise SandboxUnreachable(
            f"What answers at {origin} is no msgine-sandbox: {answer.status_code} without its JSON"
        ) from problem
    if error is not None:
        raise SandboxError(
            error.get("message", ""),
            status=answer.status_code,
            code=error.get("code", ""),
            details=error.get("details"),
        )
    return content
