"""The log of `serve`: a line for each request to the API and each webhook attempt, as they end.

A fault that acted is named on the line of its request or attempt. Headers, bodies and queries,
which may contain credentials, are not shown; the journal has them.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from msgine_sandbox.model.characters import printable
from msgine_sandbox.model.clock import RealTime, iso_micros
from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import Attempt, WebhookMode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus, RequestAnswered, WebhookAttempted
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.standard_error import StandardErrorStream

_MAX_METHOD: Final = 20
_MAX_PLACE: Final = 160
_MAX_ERROR: Final = 160
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")

_BOLD, _DIM = "1", "2"
_RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = "31", "32", "33", "35", "36"
_COLOURS: Final = {2: _GREEN, 3: _CYAN, 4: _YELLOW}
"""Of statuses, by their first digit; all others are red."""


class RequestLog:
    """Writes to standard error what is announced on the bus."""

    def __init__(
        self,
        bus: Bus,
        accounts: Accounts,
        real: RealTime,
        output: StandardErrorStream,
        form: AnswerForm,
        *,
        coloured: bool,
    ) -> None:
        self._accounts = accounts
        self._real = real
        self._output = output
        self._form = form
        self._coloured = coloured
        self._collected: list[RequestAnswered | WebhookAttempted] = []
        bus.listen(RequestAnswered, self._collect)
        bus.listen(WebhookAttempted, self._collect)

    def welcome(self, base_url: str) -> None:
        """Write where the inbox and the docs are, and which form the answers have."""
        origin = base_url.removesuffix(BASE_PATH)
        inbox, docs = self._in(_BOLD, f"{origin}/"), self._in(_BOLD, f"{origin}/docs/")
        self._output.write_lines(
            [f"Inbox: {inbox}", f"Docs:  {docs}", f"Answers: {self._form.answers}"]
        )

    def _collect(self, event: RequestAnswered | WebhookAttempted) -> None:
        # Formatted together at the end of this turn of the event loop, because that costs a third
        # less than to format each line between other work.
        if not self._collected:
            asyncio.get_running_loop().call_soon(self._write_collected)
        self._collected.append(event)

    def _write_collected(self) -> None:
        time = self._in(_DIM, f"{iso_micros(self._real.now())[11:23]}Z")
        collected, self._collected = self._collected, []
        lines = [
            self._request(each) if isinstance(each, RequestAnswered) else self._attempt(each)
            for each in collected
        ]
        self._output.write_lines([f"{time}  {line}" for line in lines])

    def _request(self, event: RequestAnswered) -> str:
        entry = event.entry
        return self._line(
            _opening(entry.method, entry.path),
            entry.status,
            entry.code,
            entry.account,
            entry.message,
            entry.warnings,
            request_fault(entry),
        )

    def _attempt(self, event: WebhookAttempted) -> str:
        attempt = event.attempt
        return self._line(
            f"webhook  {shown_url(attempt.url):<38}",
            attempt.status,
            shown_error(attempt),
            attempt.account,
            f"{self._form.message_id(attempt.message)}  {attempt.event} attempt {attempt.number}",
            event.warnings,
            None if event.mode is WebhookMode.PLAIN else f"fault {event.mode}",
        )

    def _line(
        self,
        opening: str,
        status: int | None,
        error: str | None,
        account_id: int | None,
        message: str | None,
        warnings: Sequence[ClientWarning],
        fault: str | None,
    ) -> str:
        account = self._accounts.find(account_id)
        colour = _RED if status is None else _COLOURS.get(status // 100, _RED)
        parts = [opening, self._in(colour, "---" if status is None else str(status))]
        if error is not None:
            parts.append(self._in(colour, error))
        if account is not None:
            parts.append(printable(account.token_hint))
        if message is not None:
            parts.append(message)
        if warnings:
            parts.append(self._in(_YELLOW, _codes(warnings)))
        if fault is not None:
            parts.append(self._in(_MAGENTA, fault))
        return "  ".join(parts)

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text


@lru_cache(64)  # few, because a path may have 64 KiB
def _opening(method: str, path: str) -> str:
    """Return the beginning of a request's line: most requests of a client are for a few paths."""
    return f"{_shortened(method, _MAX_METHOD).ljust(7)}  {shown_path(path).ljust(38)}"


def shown_path(path: str) -> str:
    """Return a decoded path as a URL has it: in ASCII, with everything else in percent form."""
    if not (path.isascii() and path.isprintable()) or "%" in path or " " in path:
        path = quote(path, safe=_ASCII, errors="surrogatepass")
    return _shortened(path, _MAX_PLACE)


def shown_url(url: str) -> str:
    """Return a URL without query and fragment, in which receivers put secrets."""
    return _shortened(url.partition("#")[0].partition("?")[0], _MAX_PLACE)


def shown_error(attempt: Attempt) -> str | None:
    """Return why an attempt failed, where that is not its status."""
    return None if attempt.error is None else _shortened(attempt.error, _MAX_ERROR)


def request_fault(entry: JournalEntry) -> str | None:
    """Return which fault acted on a request, and its effect in the words of the control API."""
    if entry.fault is None:
        return None
    return " ".join(["fault", entry.fault, *_words(entry.effect or RequestEffect())])


def _words(effect: RequestEffect) -> Iterable[str]:
    if effect.delay:
        yield f"delay {effect.delay:g} s"
    if effect.status is not None:
        yield f"status {effect.status}"
    if effect.malformed:
        yield "malformed"
    if effect.drop:
        yield "drop after" if effect.commit else "drop before"
    elif effect.commit:
        yield "commit"


def _codes(warnings: Sequence[ClientWarning]) -> str:
    return ", ".join(dict.fromkeys(each.code for each in warnings))


def _shortened(text: str, most: int) -> str:
    """Return a text with at most so many characters, and nothing that a terminal interprets."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")
