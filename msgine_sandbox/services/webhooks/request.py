"""A webhook as a request over HTTP."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import httpx
import msgspec

_MOST_URLS: Final = 1024
"""URLs that are kept in parsed form: most webhooks go to a few."""
_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What a connection leads to; only requests to it may use the connection."""

    is_encrypted: bool
    host: str
    port: int


class Target(NamedTuple):
    """Where a URL leads, and how a request names it."""

    origin: Origin
    authority: str
    """The value of `Host`: without the port where it is that of the scheme."""
    path: bytes
    """With the query."""


class WebhookRequest(msgspec.Struct, frozen=True):
    """A POST; its headers have lower-case names."""

    target: Target
    headers: Mapping[str, str]
    body: bytes


def webhook_request(url: str, headers: Mapping[str, str], body: bytes) -> WebhookRequest:
    """Return the request that sends a body to a URL, with the headers that HTTP asks for.

    Raises:
        httpx.InvalidURL: it is no URL.
    """
    target = _target(url)
    all_headers = {
        "host": target.authority,
        "content-length": str(len(body)),
        **headers,
        # No compressed response: a small one could fill the memory.
        "accept-encoding": "identity",
    }
    return WebhookRequest(target, all_headers, body)


@lru_cache(_MOST_URLS)
def _target(url: str) -> Target:
    # Parsing takes longer than most of what is done with a webhook.
    parsed = httpx.URL(url)
    port = parsed.port or _PORTS[parsed.scheme]
    origin = Origin(parsed.scheme == "https", parsed.host, port)
    return Target(origin, parsed.netloc.decode("ascii"), parsed.raw_path)
