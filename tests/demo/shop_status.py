"""A page that shows how far each message has come, fed by webhooks."""

import base64
import hmac
import json
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDER = ("unknown", "pending", "sent", "delivered", "failed")


class StatusPage:
    """Takes `POST /hooks`, and shows `GET /{message}`."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._seen: set[str] = set()
        self.history: dict[str, list[str]] = {}
        self.is_down = False
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = 503 if page.is_down else page.take(dict(self.headers.items()), body)
                self._answer(status, "")

            def do_GET(self) -> None:
                self._answer(200, page.status(self.path.removeprefix("/")))

            def _answer(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02])
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def status(self, message: str) -> str:
        """The farthest that a message is known to have come."""
        return max(self.history.get(message, ["unknown"]), key=ORDER.index)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take a webhook, and return the status to answer."""
        number, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signed = hmac.digest(self._key, f"{number}.{time}.".encode() + body, sha256)
        right = "v1," + base64.b64encode(signed).decode()
        if not hmac.compare_digest(right, headers.get("webhook-signature", "")):
            return 401
        if number not in self._seen:
            self._seen.add(number)
            told = json.loads(body)
            self.history.setdefault(told["messageId"], []).append(told["status"])
        return 204

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
