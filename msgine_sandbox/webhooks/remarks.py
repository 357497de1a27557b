"""What a try says about its receiver, as warnings on the request that sent the message."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from msgine_sandbox.model import warning
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import Attempt, Telling
from msgine_sandbox.webhooks.policy import is_loopback

_ON_PURPOSE = frozenset({Telling.LOST, Telling.FORGED})
"""Tellings that no receiver can, or should, take."""
_SLOW = 1 / 3
"""The part of the time that a receiver has, from which on it is slow."""


def remarks(
    attempt: Attempt, telling: Telling, deadline: float, *, contained: bool
) -> Iterator[ClientWarning]:
    """Give the warnings about a try; the deadline is in seconds."""
    if attempt.duration_ms > deadline * 1000 * _SLOW:
        yield warning.webhook_slow(attempt.event, attempt.url, attempt.duration_ms, deadline)
    if attempt.heard or telling in _ON_PURPOSE:
        return
    why = attempt.error or f"it answered {attempt.status}"
    yield warning.webhook_failed(attempt.event, attempt.url, why)
    if contained and attempt.status is None and is_loopback(urlsplit(attempt.url).hostname or ""):
        yield warning.webhook_localhost(attempt.url)


def in_container() -> bool:
    """Tell whether this process runs in a container, where localhost is the container."""
    marks = ("/.dockerenv", "/run/.containerenv")
    named = {"container", "KUBERNETES_SERVICE_HOST"} & os.environ.keys()
    return bool(named) or any(Path(mark).exists() for mark in marks)
