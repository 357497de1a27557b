"""The page's Python example; trust comes from REQUESTS_CA_BUNDLE."""

import json
import os

import requests

origin = os.environ.get("MSGINE_ORIGIN", "https://api.msgine.net")

response = requests.post(
    f"{origin}/api/v1/messages/sms",
    headers={
        "Authorization": f"Bearer {os.environ['MSGINE_TOKEN']}",
        "Content-Type": "application/json",
    },
    json={
        "to": "+256701234567",
        "message": "Hello from MsGine!",
    },
)

print(json.dumps(response.json()))  # noqa: T201
