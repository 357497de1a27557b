"""What an account looks like from outside, to compare it before and after."""

from typing import Any

from box import Box


async def snapshot(box: Box) -> list[Any]:
    """Return all that an account's owner can see, with a running clock as its lead in seconds."""
    clock = await box.get("/_sandbox/clock")
    return [
        await box.get("/_sandbox/account"),
        await box.get("/_sandbox/webhooks"),
        await box.get("/_sandbox/messages"),
        await box.attempts(),
        clock["frozen"],
        clock["now"] if clock["frozen"] else round(clock["aheadSeconds"]),
    ]


async def change_everything(box: Box, url: str) -> dict[str, Any]:
    """Change all that can be changed about an account, and return the message it sent."""
    await box.control("PATCH", "/account", {"tier": "free", "senderId": "Changed", "price": 1})
    await box.listen(url)
    await box.freeze()
    message = await box.accepted(key="k")
    await box.advance(seconds=1)
    return message
