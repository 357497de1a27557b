"""The texts of statements are few: `sqlite3` keeps those prepared that it has met last."""

from typing import Any

from box import DEVELOPERS, Box, boxed
from sends import EMAIL, PUSH, SMS

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import BASE_PATH, Settings

_KEPT = 128
"""Statements that `sqlite3` keeps for a connection."""
_NOBODY = "http://127.0.0.1:1/hooks"
_FAULT = {"effect": {"status": 503}, "match": {"to": "+256701999999"}}


class RecordingConnection:
    """A connection that remembers the texts of its statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.texts: set[str] = set()

    def execute(self, sql: str, *row: Any) -> Any:
        self.texts.add(sql)
        return self._connection.execute(sql, *row)

    def executemany(self, sql: str, rows: Any) -> Any:
        self.texts.add(sql)
        return self._connection.executemany(sql, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def use(box: Box) -> None:
    """Make a call of each kind with an account."""
    await box.call("PUT", "/_sandbox/webhooks", json={"endpoints": [{"url": _NOBODY}]})
    await box.call("POST", "/_sandbox/faults", json=_FAULT)
    sent = [await box.accepted(key=key) for key in (None, "a-key", "a-key", "another")]
    await box.send(to="+256701999999")
    await box.send(to="+256700004290")
    await box.call("POST", f"{BASE_PATH}/messages/sms", json=SMS | {"callbackUrl": _NOBODY})
    await box.developers("POST", "/email", EMAIL)
    device = {"token": "token-of-a-phone", "platform": "ios"}
    await box.developers("POST", "/push/device", device)
    await box.developers("POST", "/push", PUSH)
    await box.call("POST", "/_sandbox/clock/advance", json={"seconds": 3600})
    await box.call("POST", "/_sandbox/clock/advance", json={"until": "next"})
    message = f"/_sandbox/messages/{sent[0]['id']}"
    for path in (
        f"{BASE_PATH}/messages",
        f"{BASE_PATH}/messages/{sent[0]['id']}",
        f"{DEVELOPERS}/analytics/overview",
        f"{DEVELOPERS}/analytics/daily",
        "/_sandbox/account",
        "/_sandbox/messages",
        "/_sandbox/messages?q=hello&status=delivered&channel=sms",
        "/_sandbox/messages?status=failed",
        "/_sandbox/messages/count?contains=Hello",
        "/_sandbox/messages/wait?contains=Hello",
        message,
        "/_sandbox/webhooks/attempts",
        "/_sandbox/webhooks/attempts?event=message.sent",
        "/_sandbox/clock",
        "/_sandbox/clock/upcoming",
        "/_sandbox/faults",
        "/_sandbox/requests",
        "/_sandbox/coverage",
        "/_sandbox/report",
        "/_sandbox/scenario",
    ):
        await box.call("GET", path)
    scenario = {"messages": [SMS | {"secondsAgo": 60}], "faults": [_FAULT]}
    await box.call("PUT", "/_sandbox/scenario", json=scenario)
    await box.call("DELETE", message)
    await box.call("DELETE", "/_sandbox/faults")
    await box.call("DELETE", "/_sandbox/messages")
    await box.call("POST", "/_sandbox/reset")


async def test_no_text_of_a_statement_contains_an_account_or_a_message() -> None:
    built = Sandbox(Settings(keep_messages=0, keep_megabytes=0))
    async with boxed(built) as box:
        database = built.store.database
        connection = RecordingConnection(database._connection)
        database._connection = connection  # type: ignore[assignment]
        await box.other().accepted()  # because the searches of a single account are others
        await use(box)
        known = set(connection.texts)
        await use(box.other())
        assert connection.texts == known
        assert 40 < len(known) < _KEPT
