"""The report on a client, as the JSON of `/_sandbox/report`: merged with others, and as Markdown.

It imports the standard library only, because the Python client does both as well, without the
packages of a server.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]

_LISTED: Final = 100
"""How many retries and duplicates are listed: the newest."""
_NONE: Final = "no response"


def merged(reports: Sequence[Json]) -> dict[str, Any]:
    """Return one report about the clients of several, of which none is about the same requests.

    There must be at least one.
    """
    covers = [each["covers"] for each in reports]
    return {
        **reports[0],
        "account": _common(reports, "account"),
        "accountId": _common(reports, "accountId"),
        "covers": {
            **_summed(covers),
            "from": min((each["from"] for each in covers if each["from"]), default=None),
            "to": max((each["to"] for each in covers if each["to"]), default=None),
        },
        "retries": {
            **_summed_with_newest([each["retries"] for each in reports]),
            "after": _merged_waits(row for each in reports for row in each["retries"]["after"]),
        },
        "keys": _summed([each["keys"] for each in reports]),
        "duplicates": _summed_with_newest([each["duplicates"] for each in reports]),
        "polling": _summed([each["polling"] for each in reports]),
        "webhooks": {
            **_summed([each["webhooks"] for each in reports]),
            "results": _counted(
                (row for each in reports for row in each["webhooks"]["results"]), "attempts"
            ),
        },
        "warnings": _counted((row for each in reports for row in each["warnings"]), "count"),
    }


def _common(reports: Sequence[Json], name: str) -> Any:
    found = {each[name] for each in reports}
    return found.pop() if len(found) == 1 else None


def _summed(rows: Sequence[Json]) -> dict[str, Any]:
    """Return the sums of the members that are counts."""
    return {
        name: sum(row[name] for row in rows)
        for name, value in rows[0].items()
        if isinstance(value, int)
    }


def _summed_with_newest(rows: Sequence[Json]) -> dict[str, Any]:
    newest = [each for row in rows for each in row["newest"]]
    newest.sort(key=lambda each: str(each["requestId"]), reverse=True)
    return {**_summed(rows), "newest": newest[:_LISTED]}


def _merged_waits(rows: Iterable[Json]) -> list[Json]:
    merged: dict[int | None, Json] = {}
    for row in rows:
        known = merged.get(row["status"])
        if known is not None:
            shortest = min(known["shortest"], row["shortest"])
            longest = max(known["longest"], row["longest"])
            sums = {name: known[name] + row[name] for name in ("retries", "asked", "early")}
            row = {**row, **sums, "shortest": shortest, "longest": longest}
        merged[row["status"]] = row
    return [merged[status] for status in sorted(merged, key=lambda status: status or 0)]


def _counted(rows: Iterable[Json], count: str) -> list[Json]:
    """Return rows, those that differ only in their counts added up; the largest count first."""
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(value for name, value in row.items() if name != count)
        known = merged.setdefault(key, {**row, count: 0})
        known[count] += row[count]
    return sorted(merged.values(), key=lambda row: -row[count])


def markdown(report: Json, *, origin: str | None = None) -> str:
    """Return the report as Markdown; its links lead to the docs of the sandbox at an origin."""
    return "\n".join(_lines(report, origin)) + "\n"


def _lines(report: Json, origin: str | None) -> Iterator[str]:
    covers, keys = report["covers"], report["keys"]
    whose = f" of account {report['account']}" if report["account"] else ""
    yield f"# Report on the client{whose}"
    yield ""
    yield _coverage(covers)
    yield from _retries(report["retries"])
    yield from ("", "## Idempotency keys", "")
    yield from _table(
        ("sends", "with a key", "without", "keys", "used again", "replayed", "with another body"),
        [[keys[name] for name in _KEY_COLUMNS]],
    )
    yield from _duplicates(report["duplicates"])
    yield from ("", "## Polling", "")
    yield _polling(report["polling"])
    yield from _webhooks(report["webhooks"])
    yield from ("", "## Warnings", "")
    warnings = report["warnings"]
    if not warnings:
        yield "None."
        return
    yield from _table(
        ("warning", "times", "what to do"),
        [
            (_link(each["code"], each["docs"], origin), each["count"], each["advice"])
            for each in warnings
        ],
    )


_KEY_COLUMNS: Final = (
    "sends",
    "withKey",
    "withoutKey",
    "used",
    "reused",
    "replayed",
    "conflicts",
)


def _coverage(covers: Json) -> str:
    """Return the sentence that says what the report is about."""
    if not covers["requests"]:
        told = "No request is in the journal"
    else:
        told = f"{_count(covers['requests'], 'request')} from {covers['from']} to {covers['to']}"
    attempts = _count(covers["attempts"], "webhook attempt")
    dropped = covers["dropped"]
    older = f" {_count(dropped, 'older request')} no longer kept." if dropped else ""
    return f"{told}, and {attempts}.{older}"


def _retries(retries: Json) -> Iterator[str]:
    yield from ("", "## Retries", "")
    if not retries["total"]:
        yield "No request was repeated after an error."
        return
    early = retries["early"]
    yield (
        f"{_count(retries['total'], 'request')} repeated after an error, {early} of them before "
        "the time of `Retry-After`."
    )
    yield ""
    yield from _table(
        ("after", "retries", "with Retry-After", "too early", "shortest wait", "longest wait"),
        [
            (
                _NONE if each["status"] is None else each["status"],
                each["retries"],
                each["asked"],
                each["early"],
                _seconds(each["shortest"]),
                _seconds(each["longest"]),
            )
            for each in retries["after"]
        ],
    )
    yield ""
    yield from _table(
        ("request", "repeats", "call", "after", "asked", "waited"),
        [
            (
                each["requestId"],
                each["repeats"],
                f"{each['method']} {each['path']}",
                _NONE if each["after"] is None else each["after"],
                "" if each["asked"] is None else _seconds(each["asked"]),
                _seconds(each["waited"]) + (", too early" if each["early"] else ""),
            )
            for each in retries["newest"]
        ],
    )


def _duplicates(duplicates: Json) -> Iterator[str]:
    yield from ("", "## Duplicates", "")
    if not duplicates["total"]:
        yield "No message is proven to be there twice."
        return
    yield f"{_count(duplicates['total'], 'message')} accepted again, because of a retry."
    yield ""
    yield from _table(
        ("message", "is the same as", "request"),
        [(each["messageId"], each["first"], each["requestId"]) for each in duplicates["newest"]],
    )


def _polling(polling: Json) -> str:
    if not polling["messages"]:
        return "No message was polled where a webhook would have told of its status."
    return (
        f"{_count(polling['messages'], 'message')} polled where a webhook would have told of the "
        f"status: {_count(polling['reads'], 'read')} from the fifth on."
    )


def _webhooks(webhooks: Json) -> Iterator[str]:
    yield from ("", "## Webhooks", "")
    if not webhooks["attempts"]:
        yield "None was sent."
        return
    yield (
        f"{_count(webhooks['attempts'], 'attempt')}: {webhooks['accepted']} accepted, "
        f"{webhooks['failed']} failed, {webhooks['onPurpose']} failed on purpose."
    )
    if webhooks["results"]:
        yield ""
        yield from _table(
            ("receiver", "answer", "attempts"),
            [
                (each["url"], each["error"] or each["status"], each["attempts"])
                for each in webhooks["results"]
            ],
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _link(code: str, path: str, origin: str | None) -> str:
    return f"{code} (`{path}`)" if origin is None else f"[{code}]({origin}{path})"


def _cell(value: object) -> str:
    """Return a value that cannot end its cell, nor be taken for Markdown of its own."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _count(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"
