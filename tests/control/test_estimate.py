"""What a send would be answered agrees with what a send is answered."""

import json
from typing import Any

import httpx
from box import NUMBER, Box, sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from matching import assert_refused
from sends import ANY_JSON, EMAIL, PUSH, SMS
from sync_box import sync_sandbox

ESTIMATE = "/_sandbox/messages/estimate"
BODIES = {
    "/messages/sms": SMS,
    "/developers/sms": SMS,
    "/developers/email": EMAIL,
    "/developers/push": PUSH,
}
_GSM_EDGES = st.sampled_from(["a", "€", "ê", "🎉", "\n", "\0"]).flatmap(
    lambda each: st.integers(0, 310).map(lambda count: each * count)
)
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "idempotencyKey": st.sampled_from(["", "x" * 65, 5, "two\nlines"]),
        "message": _GSM_EDGES | st.text(max_size=400),
        "text": _GSM_EDGES | st.none(),
        "html": st.sampled_from([None, "<p>Webale</p>", ""]),
        "subject": st.sampled_from(["Receipt", "two\nlines", "x" * 999]),
        "title": st.text(max_size=5),
        "to": st.lists(st.sampled_from([NUMBER, "+256752345678", "0701234567"]), max_size=4)
        | st.sampled_from([NUMBER, "jane@example.com", "nobody", "a@example.com,b@example.com"]),
        "from": st.sampled_from(["Shop", "no spaces", "Shop <shop@example.com>"]),
        "callbackUrl": st.sampled_from(["http://localhost:9/", "nonsense"]),
        "scheduledFor": st.sampled_from(["2000-01-01T00:00:00", "soon", "2099-01-01T06:00:00"]),
        "priority": ANY_JSON,
        "data": ANY_JSON,
    },
)


async def post(box: Box, path: str, body: Any) -> httpx.Response:
    """Send JSON that may have half of a surrogate pair, which httpx does not write."""
    headers = {"Content-Type": "application/json"}
    return await box.call("POST", path, content=json.dumps(body).encode(), headers=headers)


@given(path=st.sampled_from([*BODIES]), changes=_CHANGES)
@example("/developers/sms", {"idempotencyKey": "x" * 65})
@example("/messages/sms", {"idempotencyKey": "x" * 65})
@example("/messages/sms", {"message": "\ud800"})
@example("/developers/sms", {"message": "x" * 1001})
@example("/messages/sms", {"message": "ê" * 71, "to": [NUMBER, "+256752345678"]})
def test_an_estimate_says_what_a_send_is_answered(path: str, changes: dict[str, Any]) -> None:
    body = BODIES[path] | changes
    with sync_sandbox(tier="unlimited") as s:
        s.run(s.box.freeze())
        estimated = s.run(post(s.box, ESTIMATE, {"path": path, "body": body}))
        assert estimated.status_code == 200
        estimate = estimated.json()
        assert s.messages() == 0
        assert s.run(s.box.get("/_sandbox/requests"))["total"] == 0
        sent = s.run(post(s.box, f"/api/v1{path}", body))
        assert estimate["status"] == sent.status_code
        [entry] = s.run(s.box.get("/_sandbox/requests"))["data"]
        assert estimate["warnings"] == entry["warnings"]
        if sent.status_code >= 400:
            error = sent.json()["error"]
            assert estimate["error"] == error
            return
        message = s.run(s.box.details(sent.json()))
        assert estimate["recipients"] == len(message["recipients"])
        assert estimate["characters"] == len(message["message"])
        if path == "/messages/sms":
            cost = (message["cost"], message["currency"])
        else:
            cost = (message["developerCost"], message["developerCurrency"])
        assert (estimate["cost"], estimate["currency"]) == cost
        if message["channel"] == "sms":
            shown = (message["segments"], message["encoding"])
            assert (estimate["segments"], estimate["encoding"]) == shown


async def test_prices_and_scopes_are_those_of_the_account(box: Box) -> None:
    await box.control("PATCH", "/account", {"price": 9, "currency": "EUR"})
    asked = {"path": "/messages/sms", "body": SMS}
    assert (await box.control("POST", "/messages/estimate", asked))["currency"] == "EUR"
    new = (await box.http.post(ESTIMATE, json=asked)).json()
    assert (new["cost"], new["currency"]) == (0.05, "USD")
    readonly = box.other("test_readonly_estimates")
    refused = await readonly.control("POST", "/messages/estimate", asked)
    assert (refused["status"], refused["error"]["code"]) == (403, "forbidden")
    assert "cost" not in refused


async def test_observed_answers_have_their_status_and_currency() -> None:
    async with sandbox(answers="observed") as box:
        asked = {"path": "/messages/sms", "body": SMS}
        estimate = await box.control("POST", "/messages/estimate", asked)
        assert (estimate["status"], estimate["currency"]) == (200, "UGX")


async def test_what_is_no_send_is_refused(box: Box) -> None:
    for field, asked in [
        ("path", {"path": "/messages", "body": SMS}),
        ("path", {"body": SMS}),
        ("body", {"path": "/messages/sms", "body": [1]}),
        ("body", {"path": "/messages/sms"}),
        ("token", {"path": "/messages/sms", "body": SMS, "token": "x"}),
    ]:
        answer = await box.call("POST", ESTIMATE, json=asked)
        assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field
