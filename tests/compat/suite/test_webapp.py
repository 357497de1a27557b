"""An application on an older FastAPI, in the process of the tests."""

import gc
import json

import pytest
from conftest import NUMBER
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from shop import Shop

# Starlette 0.37 uses what httpx 0.27 deprecates, and leaves streams open.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'app' shortcut is now:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]


def application(sms_url: str, sms_token: str) -> FastAPI:
    """Return an application that texts, and that receives webhooks."""
    app = FastAPI()
    app.state.events = []

    @app.post("/orders")
    def order(number: str) -> dict[str, str]:
        return {"message": Shop(sms_url, sms_token).text(number, "Your order is on its way")}

    @app.post("/hooks")
    async def receive(request: Request) -> None:
        app.state.events.append(json.loads(await request.body())["event"])

    return app


def test_an_order_is_texted_and_its_webhooks_are_passed_on(msgine, msgine_webhooks):
    app = application(msgine.base_url, msgine.token)
    with TestClient(app) as client:
        message = client.post("/orders", params={"number": NUMBER}).json()["message"]
        msgine.clock.advance(seconds=3)
        for webhook in msgine_webhooks.received:
            client.post("/hooks", content=webhook.body, headers=webhook.headers)
    del client
    gc.collect()  # now, and not in another test, where warnings of open streams are errors
    assert msgine.messages[0].id == message
    assert app.state.events == ["message.sent", "message.delivered"]
