"""The ASGI application: a request in, a response out, an entry in the journal."""

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from msgine_sandbox.asgi.answers import Answer, error_answer
from msgine_sandbox.asgi.body import check_framing
from msgine_sandbox.asgi.context import RequestContext, open_context, request_of
from msgine_sandbox.asgi.lifespan import run_other_than_http
from msgine_sandbox.asgi.pipeline import ApiPipeline, ControlPipeline
from msgine_sandbox.asgi.routing import Routes, below, path_of
from msgine_sandbox.asgi.security import HostCheck
from msgine_sandbox.model.clock import RealTime, whole_seconds
from msgine_sandbox.model.errors import ApiError, InternalError, ServiceUnavailable
from msgine_sandbox.model.ids import Ids, format_id
from msgine_sandbox.model.journal import PREFIX, JournalEntry, recorded
from msgine_sandbox.services.bus import Bus, ControlCalled
from msgine_sandbox.services.client_warnings import (
    RETRIED_STATUSES,
    FailedRequest,
    RetryDetector,
)
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.lifecycle import Lifecycle
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.storage.store import Store

_log = logging.getLogger(__name__)

_API: Final = f"{BASE_PATH}/"
_CONTROL: Final = "/_sandbox/"
_OPEN: Final = frozenset({"/_sandbox/health", "/_sandbox/openapi.json"})
"""The paths of the control API that need no credential, and no control token."""
_READS: Final = frozenset({"GET", "HEAD"})


class Application:
    """Passes each request to the API, the control API or the page, and sends the response."""

    def __init__(
        self,
        api: ApiPipeline,
        control: ControlPipeline,
        page: Routes,
        *,
        root: str,
        hosts: HostCheck,
        journal: Journal,
        retries: RetryDetector,
        bus: Bus,
        ids: Ids,
        real: RealTime,
        lifecycle: Lifecycle,
        store: Store,
    ) -> None:
        self._api = api
        self._control = control
        self._page = page
        self._root = root
        self._hosts = hosts
        self._journal = journal
        self._retries = retries
        self._bus = bus
        self._ids = ids
        self._real = real
        self._lifecycle = lifecycle
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or run the lifespan."""
        if scope["type"] != "http":
            await run_other_than_http(scope, receive, send, self._lifecycle)
            return
        if not _runs(self._lifecycle.runs_in):
            # The event loop has changed, or the caller has not run the lifespan in it, as httpx's
            # ASGITransport does not.
            try:
                await self._lifecycle.start(briefly=_is_test_client(scope))
            except Exception as error:
                refused = error if isinstance(error, ApiError) else self._store.unavailable(error)
                if refused is None:
                    raise
                await self._refuse(refused, scope, receive, send)
                return
        path = path_of(scope)
        if self._root:
            # Also where a proxy has stripped it: links begin with it.
            scope = {**scope, "root_path": scope.get("root_path", "") + self._root}
            rest = below(self._root, path)
            if rest is not None:
                # A proxy has kept the prefix. From here on, it is as if it had stripped it.
                path = rest or "/"
                scope["path"] = scope["path"].removeprefix(self._root) or "/"
        is_api = path.startswith(_API)
        now = self._real.now()
        request_id = format_id(PREFIX, self._ids.next(now=now))
        own_path = path.removeprefix(BASE_PATH) if is_api else path
        context = open_context(scope, receive, own_path, request_id, now)
        started = time.perf_counter()
        try:
            await self._answer(context, send, is_api=is_api)
        finally:
            if is_api:
                context.entry.duration_ms = (time.perf_counter() - started) * 1000
                self._record(context)

    async def _answer(self, context: RequestContext, send: Send, *, is_api: bool) -> None:
        """Send the response to a request, errors included.

        Raises:
            Exception: a defect, so that the server logs it, or a cut connection, for the client.
        """
        try:
            response = await self._respond(context, is_api=is_api)
        except ClientDisconnect:
            return  # there is no client to send a response to
        except ApiError as error:
            response = error_answer(error, context)
        except asyncio.CancelledError:
            # Our server cancels requests that take too long to end once it stops.
            if not self._bus.stopping:
                raise
            response = error_answer(ServiceUnavailable("The sandbox stops"), context)
        except Exception as error:
            refused = self._store.unavailable(error)
            if refused is None:
                if not context.connection_cut:
                    defect = InternalError("The sandbox has a defect; its log says more")
                    await _send(error_answer(defect, context), context, send)
                raise
            response = error_answer(refused, context)
        await _send(response, context, send)

    async def _refuse(self, refused: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not use the sandbox, not even its ids and its journal."""
        _log.warning("%s %s was refused: %s", scope["method"], scope["path"], refused.message)
        real = RealTime()
        request_id = format_id(PREFIX, Ids(real).next())
        context = open_context(scope, receive, scope["path"], request_id, real.now())
        await _send(error_answer(refused, context), context, send)

    async def _respond(self, context: RequestContext, *, is_api: bool) -> Response:
        check_framing(context)
        self._hosts.check(context)
        if is_api:
            response = await self._api.respond(context)
        elif context.path.startswith(_CONTROL) and context.path not in _OPEN:
            response = await self._control.respond(context)
            if context.method not in _READS and response.status_code < HTTPStatus.BAD_REQUEST:
                what = context.path.removeprefix(_CONTROL).partition("/")[0]
                if what != "messages":  # what happens to messages is announced by itself
                    self._bus.announce(ControlCalled(context.account_id, what))
        else:
            return await self._page.handler(context)(request_of(context))
        if context.method in _READS:
            # What has written has waited already, and must not fail with a later transaction.
            await self._store.settled()
        return response

    def _record(self, context: RequestContext) -> None:
        entry, response = context.entry, context.response
        entry.request = recorded(context.scope["headers"], context.body)
        if response is not None:
            entry.status = response.status_code
            entry.response = recorded(response.raw_headers, bytes(response.body))
        if isinstance(response, Answer):
            entry.code = response.error_code
        if context.account is not None and (entry.status in RETRIED_STATUSES or context.retried):
            self._update_retries(context, entry)
        self._journal.record(entry)

    def _update_retries(self, context: RequestContext, entry: JournalEntry) -> None:
        """Remember a request that clients retry, or forget its failures once it has succeeded."""
        account = context.authenticated_account.id
        if entry.status in RETRIED_STATUSES:
            failed = FailedRequest(
                request_id=entry.request_id,
                at=entry.at,
                real_at=context.received_at,
                status=entry.status,
                retry_after=_retry_after(context.response),
                message=entry.message,
            )
            self._retries.add(account, context.fingerprint(), failed)
        else:
            self._retries.remove(account, context.fingerprint())


def _runs(loop: asyncio.AbstractEventLoop | None) -> bool:
    """Return whether an event loop is the one that runs here."""
    try:
        return loop is not None and loop is asyncio.get_running_loop()
    except RuntimeError:  # under trio
        return False


def _is_test_client(scope: Scope) -> bool:
    """Return whether a test client such as Starlette's sends the request.

    Outside of its `with` block it runs an event loop for each request, which ends with the request.
    The extension is for test clients. Source: ASGI, "Extensions", Debug.
    """
    return "http.response.debug" in (scope.get("extensions") or ())


async def _send(response: Response, context: RequestContext, send: Send) -> None:
    """Send a response, with the headers that every response to the request carries."""
    context.response, entry = response, context.entry
    headers = response.raw_headers
    headers.append((b"x-request-id", entry.request_id.encode()))
    allowance = context.allowance
    if allowance is not None:
        # Real time in Unix seconds, because the client compares it with its own clock. The two are
        # added before they are rounded, so that all answers while the same request is the oldest
        # say the same second.
        reset = whole_seconds(context.real_now + allowance.reset_after)
        headers += (
            (b"x-ratelimit-limit", b"%d" % allowance.limit),
            (b"x-ratelimit-remaining", b"%d" % allowance.remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        )
    if entry.warnings:
        codes = ", ".join(dict.fromkeys(each.code for each in entry.warnings))
        headers.append((b"x-sandbox-warning", codes.encode()))
    if context.method == "HEAD":
        response.body = b""  # Content-Length stays that of a GET (RFC 9110, 8.6)
    await response(context.scope, context.receive, send)


def _retry_after(response: Response | None) -> int | None:
    headers = () if response is None else response.raw_headers
    return next((int(value) for name, value in headers if name == b"retry-after"), None)
