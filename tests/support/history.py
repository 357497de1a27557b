"""What has happened to an account by its frozen clock, without what differs from run to run."""

from typing import Any

from box import Box

START = "2090-01-01T00:00:00Z"


async def start(box: Box) -> None:
    """Freeze the account's clock at the same instant in every run."""
    await box.freeze()
    for year in range(2036, 2090, 9):  # ten years at once are too many
        await box.control("POST", "/clock/advance", {"to": f"{year}-01-01T00:00:00Z"})
    await box.control("POST", "/clock/advance", {"to": START})


async def history(box: Box) -> dict[str, Any]:
    """Return the account's time, its messages and their webhooks; a message by its text."""
    messages = (await box.get("/_sandbox/messages", limit=1000))["data"]
    texts = {each["id"]: each["message"] for each in messages}
    return {
        "now": (await box.get("/_sandbox/clock"))["now"],
        "messages": [
            {name: each[name] for name in ("message", "status", "recipients", "createdAt")}
            for each in messages
        ],
        "attempts": [
            {
                "message": texts[each["messageId"]],
                **{name: each[name] for name in ("event", "attempt", "at", "status")},
            }
            for each in await box.attempts()
        ],
    }
