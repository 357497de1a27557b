"""A connection to a receiver, which carries one webhook after the other over HTTP/1.1."""

import time
from typing import Final

import h11

from msgine_sandbox.services.webhooks.network import ReadError, Stream
from msgine_sandbox.services.webhooks.request import Origin, WebhookRequest
from msgine_sandbox.services.webhooks.response import PartialResponse
from msgine_sandbox.services.webhooks.targets import Address

_MAX_BODY: Final = 64 * 1024
"""Bytes of a response that are read; the connection is closed where it has more."""
_MAX_HEAD: Final = 100 * 1024
"""Bytes of a response's head."""


class ClosedBefore(Exception):
    """The receiver had closed a kept connection before it read the request."""


class HttpConnection:
    """Sends requests to one origin, at one of its addresses; one at a time."""

    def __init__(self, stream: Stream, origin: Origin, address: Address) -> None:
        self.origin = origin
        self.address = address
        self.used_at = time.monotonic()
        """When its last response ended."""
        self._is_kept = False
        """Whether it has carried a request before."""
        self._is_answered = False
        """Whether anything of the present response has come."""
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)

    async def exchange(self, request: WebhookRequest, response: PartialResponse) -> None:
        """Send a request, and read the response as far as that is read.

        Raises:
            ClosedBefore: nobody has read the request, which can be sent by another connection.
            ReadError: the connection was lost.
            h11.ProtocolError: what came is no response.
        """
        self._is_answered = False
        # In one write, and so in one packet where it is small.
        self._stream.send(self._encoded(request))
        try:
            head = await self._next_event()
        except (ReadError, h11.RemoteProtocolError) as error:
            if self._is_kept and self._stream.was_reset and not self._is_answered:
                raise ClosedBefore from error
            raise
        while isinstance(head, h11.InformationalResponse):
            head = await self._next_event()
        assert isinstance(head, h11.Response)  # noqa: S101  (h11 raises where it is not)
        response.begin(head.status_code, head.headers.raw_items())
        while len(response.body) <= _MAX_BODY:
            part = await self._next_event()
            if not isinstance(part, h11.Data):
                break
            response.body += part.data
        self.used_at = time.monotonic()

    def reuse(self) -> bool:
        """Prepare for another request, and return whether there may be one."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False  # the response was not read to its end, or says that it is the last
        if self._http.trailing_data[0]:
            return False  # what follows it would be taken for the next response
        self._http.start_next_cycle()
        self._is_kept = True
        return True

    def has_ended(self) -> bool:
        """Return whether its receiver has closed it, or has sent what nobody asked for."""
        return self._stream.is_readable()

    def close(self) -> None:
        """Close it at once."""
        self._stream.close()

    def _encoded(self, request: WebhookRequest) -> bytes:
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        head = h11.Request(method=b"POST", target=request.target.path, headers=headers)
        parts = [head, h11.Data(data=request.body), h11.EndOfMessage()]
        return b"".join([self._http.send(part) or b"" for part in parts])

    async def _next_event(self) -> object:
        """Return the next part of the response, as h11 has it."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            received = await self._stream.receive()
            self._is_answered = self._is_answered or bool(received)
            if not received and self._http.their_state is h11.SEND_RESPONSE:
                # h11 would speak of its states.
                raise h11.RemoteProtocolError("Server disconnected without sending a response.")
            self._http.receive_data(received)
        return event
