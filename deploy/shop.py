"""An application of compose.yaml: it sends an SMS, and shows what its webhooks have told.

curl -X POST 'http://localhost:3000/orders?to=%2B256701234567'
curl http://localhost:3000/orders
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

STATUSES: dict[str, str] = {}
"""By message."""


def send(to: str) -> str:
    """Send an SMS and return its id."""
    body = {
        "to": to,
        "message": "Your order is on its way",
        "callbackUrl": os.environ["CALLBACK_URL"],
    }
    request = Request(
        os.environ["MSGINE_BASE_URL"] + "/messages/sms",
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['MSGINE_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=10) as response:
        return str(json.load(response)["id"])


class Handler(BaseHTTPRequestHandler):
    """Answers shoppers, and the webhooks of MsGine."""

    def do_GET(self) -> None:
        self.answer(STATUSES)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        url = urlsplit(self.path)
        if url.path == "/hooks":
            event = json.loads(body)
            STATUSES[event["messageId"]] = event["status"]
            self.answer({})
        else:
            try:
                message = send(parse_qs(url.query).get("to", [""])[0])
            except HTTPError as refused:
                self.answer(json.load(refused), refused.code)
                return
            STATUSES.setdefault(message, "accepted")
            self.answer({"message": message})

    def answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    with ThreadingHTTPServer(("", int(os.environ.get("PORT", "3000"))), Handler) as server:
        print(f"The shop listens on port {server.server_port}", flush=True)
        server.serve_forever()
