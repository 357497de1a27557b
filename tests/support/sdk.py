"""What the official SDKs do alike, and where they differ: credentials, retries, what they read."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import httpx
from box import Box

RETRIED = {408, 429, 500, 502, 503, 504}
WAITS = (1, 2, 4)  # seconds before each retry, whatever Retry-After says


class Official(NamedTuple):
    """One official SDK."""

    user_agent: str
    header: str
    """The one with the credential, which is sent without a scheme."""
    retries_timeouts: bool = False
    """Whether it tries again after it has waited too long for an answer, without any key."""
    retries_cuts: bool = False
    """Whether it does so when the connection is closed without an answer."""
    lists: str | None = None
    """The member that it reads every history from, where that is not the channel's."""
    unwraps_data: bool = False
    """Whether it takes a top-level `data` for the whole answer."""
    needs_json: bool = False
    """Whether it refuses a success that is not JSON; another one takes an empty answer for one."""


TYPESCRIPT_1 = Official("@msgine/sdk/1.0.0", "Authorization", retries_timeouts=True)
TYPESCRIPT = Official("@msgine/sdk/2.0.0", "X-Api-Key", retries_timeouts=True, needs_json=True)
PYTHON = Official("msgine-python/2.0.0", "X-Api-Key")
GO = Official(
    "msgine-go/2.0.0",
    "X-Api-Key",
    retries_timeouts=True,
    retries_cuts=True,
    lists="items",
    unwraps_data=True,
)
SDKS_2 = (TYPESCRIPT, PYTHON, GO)


class Sdk:
    """An official SDK with a credential; `sleep` lets seconds pass."""

    def __init__(
        self,
        official: Official,
        http: httpx.AsyncClient,
        credential: str,
        sleep: Callable[[float], Awaitable[Any]],
    ) -> None:
        self.official = official
        self._http = http
        self._headers = {
            official.header: credential,
            "User-Agent": official.user_agent,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._sleep = sleep
        self.waited: list[float] = []
        """The seconds before each retry so far."""

    async def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request until its response is final or no retry is left."""
        for wait in WAITS:
            answer = await self._try(method, path, **kwargs)
            if answer is not None and answer.status_code not in RETRIED:
                return answer
            self.waited.append(wait)
            await self._sleep(wait)
        return await self._http.request(method, path, headers=self._headers, **kwargs)

    async def _try(self, method: str, path: str, **kwargs: Any) -> httpx.Response | None:
        """Return a response, or None where the SDK retries because there is none."""
        try:
            return await self._http.request(method, path, headers=self._headers, **kwargs)
        except httpx.TimeoutException:
            if not self.official.retries_timeouts:
                raise
        except httpx.TransportError:
            if not self.official.retries_cuts:
                raise
        return None


def sdk_of(box: Box, official: Official) -> Sdk:
    """Return an SDK with the credential of an account, on whose clock it sleeps."""

    async def sleep(seconds: float) -> None:
        await box.advance(seconds=seconds)

    return Sdk(official, box.http, box.token, sleep)


class LosesAnswers(httpx.AsyncBaseTransport):
    """The network of a client that gives up waiting for the first answers to its sends."""

    def __init__(self, transport: httpx.AsyncBaseTransport, times: int = 1) -> None:
        self._transport = transport
        self._left = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        if request.method == "POST" and self._left:
            self._left -= 1
            raise httpx.ReadTimeout("No answer in time", request=request)
        return answer
