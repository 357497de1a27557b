"""Errors of the client.

Exception
├── SandboxError
│   └── SandboxUnreachable
├── AssertionError
│   ├── MessageNotFound
│   └── WebhookNotFound
└── LookupError
    └── NoCode
"""

from collections.abc import Mapping
from typing import Any

from msgine_sandbox.model.characters import printable


class SandboxError(Exception):
    """The sandbox refused a call: `status`, `code`, `message` and `details` of its response."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message
        self.status = status
        self.code = code
        self.details: Mapping[str, Any] = details or {}
        # The message may quote what a client sent.
        answered = printable(f"{status} {code}: {message}")
        super().__init__(message if status is None else answered)


class SandboxUnreachable(SandboxError):
    """No sandbox answers at the URL; `status` is None."""


class MessageNotFound(AssertionError):
    """No matching message arrived in time; the text lists those that did arrive."""


class WebhookNotFound(AssertionError):
    """Too few matching webhooks arrived in time; the text lists those that did arrive."""


class NoCode(LookupError):
    """A message has no one-time code; the text of the error quotes the message."""
