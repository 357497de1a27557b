"""Looking up the host names of receivers, so that a name server which hangs holds nobody up."""

import asyncio
import socket
import threading
from collections import Counter
from contextlib import suppress
from typing import Final

import msgspec

from msgine_sandbox.services.webhooks.targets import Address, address_of, is_loopback_name

MAX_LOOKUPS: Final = 64
"""Look-ups that run at the same time."""
MAX_LOOKUPS_PER_ACCOUNT: Final = 4
_LOOPBACK: Final = (address_of("::1"), address_of("127.0.0.1"))
_Key = tuple[int, str, int]
"""Account, host and port."""
_Found = list[Address] | OSError


class _Lookup(msgspec.Struct):
    """The look-up of one name, which all of an account's webhooks to it share."""

    found: asyncio.Future[_Found]
    webhooks: int = 0
    """How many of them wait for it."""
    runs: bool = False


class Resolver:
    """Looks up names, each on a thread of its own, which can be left behind.

    The system's look-up cannot be interrupted, and takes as long as the name servers and the
    system's settings make it. Nobody waits for these threads: no webhook beyond its deadline, and
    not the end of the process, which waits for the threads of an executor.
    """

    def __init__(self) -> None:
        self._lookups: dict[_Key, _Lookup] = {}
        """Those that run, and those whose turn has not come yet, in the order of their coming."""
        self._running: Counter[int] = Counter()
        """How many run, by account."""

    async def addresses(self, account: int, host: str, port: int) -> list[Address]:
        """Return the addresses of a host in the order in which to try them, or none.

        Addresses, `localhost` and names below it (RFC 6761) need no look-up.

        Raises:
            OSError: the look-up failed for another reason than the name.
        """
        if is_loopback_name(host):
            return list(_LOOPBACK)
        with suppress(ValueError):
            return [address_of(host)]
        found = await self._look_up((account, host, port))
        if isinstance(found, OSError):
            raise found
        return found

    async def _look_up(self, key: _Key) -> _Found:
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = _Lookup(asyncio.get_running_loop().create_future())
            self._run_waiting()
        lookup.webhooks += 1
        try:
            return await asyncio.shield(lookup.found)
        finally:
            lookup.webhooks -= 1
            if not lookup.webhooks and not lookup.runs:
                del self._lookups[key]  # its turn has not come in time

    def _run_waiting(self) -> None:
        """Run look-ups up to the bounds; the account that has the fewest comes first."""
        waiting = [key for key, lookup in self._lookups.items() if not lookup.runs]
        while waiting and self._running.total() < MAX_LOOKUPS:
            key = min(waiting, key=lambda each: self._running[each[0]])
            if self._running[key[0]] >= MAX_LOOKUPS_PER_ACCOUNT:
                return
            waiting.remove(key)
            self._run(key, self._lookups[key])

    def _run(self, key: _Key, lookup: _Lookup) -> None:
        lookup.runs = True
        self._running[key[0]] += 1
        loop = lookup.found.get_loop()
        try:
            threading.Thread(target=self._on_thread, args=(loop, key), daemon=True).start()
        except RuntimeError as error:  # the process has as many threads as it may
            loop.call_soon(self._ended, key, OSError(f"{key[1]} cannot be looked up: {error}"))

    def _on_thread(self, loop: asyncio.AbstractEventLoop, key: _Key) -> None:
        found = _resolved(*key[1:])
        with suppress(RuntimeError):  # the event loop has ended meanwhile
            loop.call_soon_threadsafe(self._ended, key, found)

    def _ended(self, key: _Key, found: _Found) -> None:
        self._running -= Counter({key[0]: 1})  # without accounts that have none
        self._lookups.pop(key).found.set_result(found)
        self._run_waiting()


def _resolved(host: str, port: int) -> _Found:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [address_of(where[0]) for *_, where in found]
    except socket.gaierror:
        return []
    except Exception as error:  # such as out of descriptors, or of what tests have put in its place
        return OSError(f"{host} cannot be looked up: {error}")
