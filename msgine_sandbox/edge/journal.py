"""Writing down every request of the API, exactly as it came in and as its answer went out."""

import time
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.domain.journal import Journal
from msgine_sandbox.domain.retries import REPEATED, Failure, Retries
from msgine_sandbox.edge.visit import Visit, fingerprint, visit_of
from msgine_sandbox.model.entry import Decisions, Entry, exchange
from msgine_sandbox.model.fault import RequestEffect


class Journalled:
    """Stands outside of all else, where an answer is what the client gets."""

    def __init__(self, app: ASGIApp, journal: Journal, retries: Retries, path: str) -> None:
        self._app = app
        self._journal = journal
        self._retries = retries
        self._path = f"{path}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._path):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            self._write(scope, answer, (time.perf_counter() - began) * 1000)

    def _write(self, scope: Scope, answer: "_Answer", duration_ms: float) -> None:
        visit = visit_of(scope)
        entry = _entry(scope, visit, answer, duration_ms)
        if visit.account is not None:
            self._keep_in_mind(scope, visit, entry, answer)
        self._journal.record(entry)

    def _keep_in_mind(self, scope: Scope, visit: Visit, entry: Entry, answer: "_Answer") -> None:
        account = visit.client.id
        if entry.status in REPEATED:
            failure = Failure(
                request_id=visit.request_id,
                at=visit.now,
                real_at=visit.began,
                status=entry.status,
                retry_after=answer.retry_after(),
                accepted=visit.accepted,
            )
            self._retries.failed(account, fingerprint(scope, visit), failure)
        elif visit.repeats is not None:
            self._retries.settled(account, fingerprint(scope, visit))


class _Answer:
    """What goes out for one request, as far as it does."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.body += message.get("body", b"")
        await self._send(message)

    def retry_after(self) -> int | None:
        return next((int(value) for name, value in self.headers if name == b"retry-after"), None)


def _entry(scope: Scope, visit: Visit, answer: _Answer, duration_ms: float) -> Entry:
    said = None if answer.status is None else exchange(answer.headers, answer.body)
    return Entry(
        request_id=visit.request_id,
        account=None if visit.account is None else visit.account.id,
        at=visit.now,
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        status=answer.status,
        code=visit.code,
        duration_ms=duration_ms,
        replayed=visit.replayed,
        repeats=None if visit.repeats is None else visit.repeats.status,
        warnings=tuple(visit.warnings),
        request=exchange(scope["headers"], visit.body),
        response=said,
        decisions=_decisions(visit),
    )


def _decisions(visit: Visit) -> Decisions:
    fault = visit.struck
    effect = None if fault is None else fault.effect
    return Decisions(
        spelling=visit.spelling,
        admission=visit.admission,
        fault=None if fault is None else fault.public_id,
        effect=effect if isinstance(effect, RequestEffect) else None,
        key=visit.key,
        replayed=visit.replayed,
        message=visit.accepted,
    )
