"""A reset that the store refuses: nothing has changed, in the file or in memory."""

import httpx
from box import Box

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

REFUSE_THE_SECOND_ACCOUNT = (
    "CREATE TRIGGER refuse BEFORE UPDATE ON accounts WHEN new.id = 2"
    " BEGIN SELECT raise(ABORT, 'no'); END"
)


async def test_a_reset_that_cannot_be_stored_leaves_accounts_and_clocks_as_they_were() -> None:
    built = Sandbox(Settings())
    transport = httpx.ASGITransport(app_of(built), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        box = Box(http, "test_reset")
        await box.freeze()
        await box.control("PATCH", "/account", {"senderId": "Kept"})
        await box.advance(hours=1)
        await box.other().accepted()
        before = [await box.get("/_sandbox/account"), (await box.get("/_sandbox/clock"))["now"]]
        built.store.database.execute(REFUSE_THE_SECOND_ACCOUNT)
        assert (await http.post("/_sandbox/reset")).status_code == 500
        after = [await box.get("/_sandbox/account"), (await box.get("/_sandbox/clock"))["now"]]
        assert after == before
    await built.lifecycle.close()
