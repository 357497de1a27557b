"""What a test is told when the sandbox refuses, is not there, or nothing came.

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


class SandboxError(Exception):
    """The sandbox refuses a call: `status`, `code`, `message` and `details` say why."""

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
        super().__init__(message if status is None else f"{status} {code}: {message}")


class SandboxUnreachable(SandboxError):
    """No sandbox answers at a URL."""


class MessageNotFound(AssertionError):
    """No message like the one that a test waited for came in time; it says what did come."""


class WebhookNotFound(AssertionError):
    """No webhook like the one that a test waited for came in time; it says what did come."""


class NoCode(LookupError):
    """A message has no one-time code; it says the text."""
