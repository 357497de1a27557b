"""Faults on demand: which one a request or a webhook meets, counted exactly."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.domain.magic import MARKS, Trap, fate_of, trap_of
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.fault import Asked, Effect, Fault, Match, RequestEffect, WebhookEffect
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Recipient
from msgine_sandbox.model.webhook import Event, Telling
from msgine_sandbox.storage.store import Store

MOST: Final = 1000
_MAGIC_BLOCK, _SANDBOX = MARKS


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as somebody asks for it."""

    match: Match
    effect: Effect
    times: int | None = None
    probability: float = 1
    seed: int = 0


class Faults:
    """Keeps faults, and picks the one that acts: the oldest that fits and has something left."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        # Who has any, so that all others pay nothing for them; at times it names one too many.
        self._armed: set[int | None] = set()

    async def load(self) -> None:
        """Read what the store knows."""
        self._armed = await self._store.faults.accounts()

    async def add(self, account: int | None, wish: Wish) -> Fault:
        """Add a fault of an account; None is for everybody.

        Raises:
            InvalidRequest: there are too many that may still act.
        """
        known = await self._store.faults.added(account)
        spent = [fault for fault in known if fault.left == 0]
        if len(known) - len(spent) >= MOST:
            raise InvalidRequest(
                f"There are {MOST} faults already; remove some",
                field="faults",
                expected=f"at most {MOST} at a time",
            )
        fault = Fault(
            id=self._ids.next(),
            account=account,
            match=wish.match,
            effect=wish.effect,
            times=wish.times,
            probability=wish.probability,
            seed=wish.seed,
        )
        async with self._store.unit:
            if len(spent) >= MOST:
                await self._store.faults.remove(account, spent[0].id)
            await self._add(fault)
        return fault

    async def remove(self, account: int | None, number: int | None = None) -> int:
        """Remove an account's faults, or everybody's, or one of them; tell how many."""
        async with self._store.unit:
            return await self._store.faults.remove(account, number)

    def may_strike(self, account: int, body: bytes) -> bool:
        """Tell at a glance whether a request could meet a fault; most cannot."""
        # Case does not matter in addresses, and JSON can write any character as an escape.
        return (
            self._may_act_on(account)
            or _MAGIC_BLOCK in body
            or _SANDBOX in body.lower()
            or b"\\u" in body
        )

    async def strike(self, account: int, asked: Asked) -> Fault | None:
        """Give the fault that a request of an account meets, and count it."""
        traps = {to: trap for to in asked.recipients if (trap := trap_of(to)) is not None}
        if traps and asked.method == "POST":
            await self._set_traps(account, traps)
        active = await self._store.faults.active(account)
        if not active:
            self._armed -= {account, None}
        fitting = [
            fault
            for fault in active
            if isinstance(fault.effect, RequestEffect) and fault.match.fits(asked)
        ]
        if not fitting:
            return None
        async with self._store.unit:
            return await self._first(fitting)

    async def twist(self, account: int, event: Event, recipient: Recipient) -> WebhookEffect:
        """Give what happens to a webhook of an account, and count it; inside a unit."""
        fault = None
        if self._may_act_on(account):
            fault = await self._first(
                fault
                for fault in await self._store.faults.active(account)
                if isinstance(fault.effect, WebhookEffect) and fault.match.tells(event, recipient)
            )
        if fault is not None and isinstance(fault.effect, WebhookEffect):
            return fault.effect
        return WebhookEffect(telling=fate_of(recipient).telling)

    def _may_act_on(self, account: int) -> bool:
        return account in self._armed or None in self._armed

    async def _set_traps(self, account: int, traps: Mapping[Recipient, Trap]) -> None:
        """Let each magic recipient be a fault of the account, from its first use on."""
        faults = [_fault(self._ids.next(), account, to, trap) for to, trap in traps.items()]
        known = await self._store.faults.known(account, [fault.match for fault in faults])
        new = [fault for fault in faults if fault.match not in known]
        if new:
            async with self._store.unit:
                for fault in new:
                    await self._add(fault)
                await self._store.faults.keep_magic(account, MOST)

    async def _add(self, fault: Fault) -> None:
        await self._store.faults.add(fault)
        self._armed.add(fault.account)

    async def _first(self, fitting: Iterable[Fault]) -> Fault | None:
        for fault in fitting:
            acts = fault.acts_next()
            counted = replace(fault, seen=fault.seen + 1, hits=fault.hits + acts)
            await self._store.faults.count(counted)
            if acts:
                return counted
        return None


def _fault(number: int, account: int, to: Recipient, trap: Trap) -> Fault:
    return Fault(
        id=number,
        account=account,
        match=Match(method="POST", to=to),
        effect=trap.effect,
        times=trap.times,
        magic=True,
    )


def reorders(effect: WebhookEffect, event: Event) -> bool:
    """Tell whether a webhook is held back until its delivery has ended: only `sent` can be."""
    return effect.telling is Telling.BACKWARDS and event is Event.SENT
