"""`msgine-sandbox advance`: move the clock of an account, or of the whole sandbox."""

import re
from collections.abc import Mapping
from typing import Any, Final

import click

from msgine_sandbox.cli.remote import RemoteSandbox, on_a_sandbox
from msgine_sandbox.testing.clock import ADVANCE_TIMEOUT

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART: Final = r"([0-9]+(?:\.[0-9]+)?)([dhms])"
_DURATION: Final = re.compile(f"(?:{_PART})+")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*")


@click.command()
@on_a_sandbox
@click.argument("how_far", metavar="DURATION|TIME|idle|next")
def advance(sandbox: RemoteSandbox, how_far: str) -> int:
    """Move the clock forward, performing all that falls due.

    DURATION is such as 90s, 1h30m or 2d, and TIME such as 2026-11-27T09:00:00Z. `next` goes to the
    next instant at which something is due, and `idle` on until nothing more is due within a day.
    """
    body = advance_body(how_far)
    clock = sandbox.account.post("/clock/advance", body, timeout=ADVANCE_TIMEOUT)
    click.echo(f"{clock['now']}  {_count(clock['performed'], 'step')} performed")
    click.echo(_next(clock["next"]))
    return 0


def advance_body(how_far: str) -> Mapping[str, Any]:
    """Return the body of the control call that moves the clock so far.

    Raises:
        UsageError: it is none of the forms in which that can be said.
    """
    if how_far in {"idle", "next"}:
        return {"until": how_far}
    if _TIME.fullmatch(how_far):
        return {"to": how_far}
    if _DURATION.fullmatch(how_far):
        parts = re.findall(_PART, how_far)
        return {"seconds": sum(float(number) * _UNITS[unit] for number, unit in parts)}
    raise click.UsageError(
        f"{how_far!r} is no duration such as 90s, 1h30m or 2d, no time, and neither idle nor next."
    )


def _next(due: Mapping[str, Any] | None) -> str:
    if due is None:
        return "nothing more is due"
    what = due.get("status") or f"{due['event']} attempt {due['attempt']}"
    return f"next: {due['at']}  {due['what']}  {due['messageId']}  {what}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
