"""Sending an SMS so that it is sent once, however the network behaves."""

import ssl
import time
from collections.abc import Callable

import httpx

RETRIED = {408, 429, 500, 502, 503, 504}
TRUSTED = ssl.create_default_context()  # once, since reading the authorities takes its time
WAITS = (1.0, 2.0, 4.0)  # seconds before each retry


class NotSent(Exception):
    """The message could not be sent; `code` is MsGine's word for why, if it gave one."""

    def __init__(self, why: str, code: str = "") -> None:
        super().__init__(why)
        self.code = code


class Sms:
    """A patient client of MsGine's API."""

    def __init__(
        self,
        base_url: str,
        token: str,
        sleep: Callable[[float], object] = time.sleep,
        timeout: float = 10,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            verify=TRUSTED,
        )
        self._sleep = sleep

    def send(self, to: str, text: str, *, key: str, callback_url: str | None = None) -> str:
        """Send, and give the message's id; the key is the same for every try of one intention."""
        body = {"to": to, "message": text}
        if callback_url is not None:
            body["callbackUrl"] = callback_url
        return str(self._ask("POST", "/messages/sms", json=body, headers={"Idempotency-Key": key}))

    def status(self, message: str) -> str:
        answer = self._http.get(f"/messages/{message}").raise_for_status()
        return str(answer.json()["status"])

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, **request: object) -> object:
        why = ""
        for wait in (*WAITS, None):
            asked_for = 0.0
            try:
                answer = self._http.request(method, path, **request)  # type: ignore[arg-type]
                if answer.status_code not in RETRIED:
                    return self._identifier(answer)
                why = f"answered {answer.status_code}"
                asked_for = float(answer.headers.get("Retry-After", 0))
            except (httpx.TransportError, ValueError) as problem:  # no answer, or half of one
                why = str(problem)
            if wait is not None:
                self._sleep(max(wait, asked_for))
        raise NotSent(why)

    def _identifier(self, answer: httpx.Response) -> object:
        content = answer.json()
        if answer.is_error:
            raise NotSent(content["error"]["message"], content["error"]["code"])
        return content["id"]
