"""Faults on demand: which one acts on a request, a delivery or a webhook, counted exactly."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Final

import msgspec

from msgine_sandbox.model.delivery import Recipient
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.fault import (
    DeliveryEffect,
    Effect,
    Fault,
    FaultTarget,
    Match,
    RequestEffect,
    WebhookEffect,
)
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.services.magic import MARKS, RequestFault, outcome_of, request_fault_of
from msgine_sandbox.storage.store import Store

MAX_FAULTS: Final = 1000
_MAGIC_BLOCK, _SANDBOX = MARKS


class FaultSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is to be added."""

    match: Match
    effect: Effect
    times: int | None = None
    probability: float = 1
    seed: int = 0
    hits: int = 0
    seen: int = 0
    """How often it has acted, and could have; more than never only in a scenario."""


class DeliveryFaults(msgspec.Struct, frozen=True):
    """The faults that decide deliveries of a message, by recipient, and all that were counted."""

    acting: Mapping[Recipient, Fault] = {}
    counted: Collection[Fault] = ()


class Faults:
    """Keeps faults, and picks the one that acts: the oldest that matches and has hits left."""

    def __init__(self, store: Store, ids: Ids, *, max_faults: int = MAX_FAULTS) -> None:
        self._store = store
        self._ids = ids
        self._max_faults = max_faults
        # The accounts whose faults may still act, so that requests of all others cost no query. An
        # account stays in it when its faults are spent, until `take` finds none.
        self._active: set[int | None] = set()
        self.deciding: set[int | None] = set()
        """The accounts with faults that may still decide a delivery, or with some that were."""

    async def load(self) -> None:
        """Read from the store which accounts have faults that may still act."""
        self._active = await self._store.faults.accounts()
        self.deciding = await self._store.faults.accounts(DeliveryEffect)

    async def add(self, account: int | None, spec: FaultSpec) -> Fault:
        """Add a fault of an account, or for None one that applies to every account.

        Raises:
            InvalidRequest: there are too many that may still act.
        """
        known = await self._store.faults.added(account)
        spent = [fault for fault in known if fault.left == 0]
        if len(known) - len(spent) >= self._max_faults:
            raise InvalidRequest(
                f"There are {self._max_faults} faults already; remove some",
                field="faults",
                expected=f"at most {self._max_faults} at a time",
            )
        fault = self._fault(account, spec)
        async with self._store.write():
            if len(spent) >= self._max_faults:
                # Spent ones are kept, because tests read their hits, but not without end.
                await self._store.faults.remove(account, spent[0].id)
            await self._add(fault)
        return fault

    async def restore(self, account: int, specs: Iterable[FaultSpec]) -> None:
        """Add the faults of a scenario to an account, inside a write transaction."""
        for spec in specs:
            await self._add(self._fault(account, spec))

    def _fault(self, account: int | None, spec: FaultSpec) -> Fault:
        return Fault(
            id=self._ids.next(),
            account=account,
            match=spec.match,
            effect=spec.effect,
            times=spec.times,
            probability=spec.probability,
            seed=spec.seed,
            hits=spec.hits,
            seen=spec.seen,
        )

    async def remove(self, account: int | None, fault_id: int | None = None) -> int:
        """Remove an account's faults, or for None all faults, or one of them; return how many."""
        async with self._store.write():
            return await self._store.faults.remove(account, fault_id)

    def might_apply(self, account: int, body: bytes) -> bool:
        """Return False where a request certainly meets no fault, without parsing its body."""
        # Magic addresses match in any case, and JSON can write any character as an escape. Every
        # send comes here: `in` would cost an exception each, because CPython tries a number first,
        # and a regular expression takes five times as long where a body is long.
        return (
            self._may_act_on(account)
            or body.find(_MAGIC_BLOCK) >= 0
            or body.lower().find(_SANDBOX) >= 0
            or body.find(b"\\u") >= 0
        )

    async def take(self, account: int, target: FaultTarget) -> Fault | None:
        """Return the fault that acts on a request of an account, and count it."""
        magic = {to: fault for to in target.recipients if (fault := request_fault_of(to))}
        if magic and target.method == "POST":
            await self._add_magic(account, magic)
        # Nothing suspends between this query and the count below, so two requests at the same time
        # cannot both use the last hit of a fault.
        active = await self._store.faults.active(account)
        if not active:
            self._active -= {account, None}
            # One that another request of this batch has removed would act again.
            self._store.on_rollback(partial(self._active.update, {account, None}))
        matching = [
            fault
            for fault in active
            if isinstance(fault.effect, RequestEffect) and fault.match.matches_request(target)
        ]
        if not matching:
            return None  # most requests of an account with faults, which need no commit
        async with self._store.write():
            return await self._first_acting(matching)

    async def decide(self, message: Message) -> DeliveryFaults:
        """Return the faults that decide deliveries of a new message.

        Nothing is counted until `count`, which is to follow in the transaction that stores the
        message, with nothing in between that suspends: no other message can then come first.
        """
        account = message.account
        if not self.deciding & {account, None}:
            return DeliveryFaults()
        active = await self._store.faults.active(account)
        found = {each.id: each for each in active if isinstance(each.effect, DeliveryEffect)}
        if not found:
            self.deciding -= {account, None}
            self._store.on_rollback(partial(self.deciding.update, {account, None}))
            return DeliveryFaults()
        acting, counted = {}, set()
        for recipient in message.recipients:
            for fault in found.values():
                if fault.left == 0 or not fault.match.matches_delivery(message.channel, recipient):
                    continue
                found[fault.id] = fault.counted()
                counted.add(fault.id)
                if fault.acts_next():
                    acting[recipient] = fault
                    break
        return DeliveryFaults(acting, [found[each] for each in counted])

    async def count(self, faults: Iterable[Fault]) -> None:
        """Store how often faults have acted, inside a write transaction."""
        for fault in faults:
            await self._store.faults.count(fault)

    async def take_for_webhook(
        self, account: int, event: EventType, recipient: Recipient
    ) -> WebhookEffect:
        """Return what happens to a webhook of an account, and count it; in a write transaction."""
        if self._may_act_on(account):
            matching = [
                fault
                for fault in await self._store.faults.active(account)
                if isinstance(fault.effect, WebhookEffect)
                and fault.match.matches_webhook(event, recipient)
            ]
            acting = await self._first_acting(matching)
            if acting is not None and isinstance(acting.effect, WebhookEffect):
                return acting.effect
        return WebhookEffect(mode=outcome_of(recipient).webhooks)

    def _may_act_on(self, account: int) -> bool:
        return account in self._active or None in self._active

    async def _add_magic(self, account: int, magic: Mapping[Recipient, RequestFault]) -> None:
        """Store a fault of the account for each magic recipient that it uses for the first time.

        Their hits are then counted and kept as those of any other fault.
        """
        faults = [
            Fault(
                id=self._ids.next(),
                account=account,
                match=Match(method="POST", to=to),
                effect=each.effect,
                times=each.times,
                magic=True,
            )
            for to, each in magic.items()
        ]
        known = await self._store.faults.known(account, [fault.match for fault in faults])
        new = [fault for fault in faults if fault.match not in known]
        if new:
            async with self._store.write():
                for fault in new:
                    await self._add(fault)
                await self._store.faults.keep_magic(account, self._max_faults)

    async def _add(self, fault: Fault) -> None:
        await self._store.faults.add(fault)
        self._active.add(fault.account)
        if isinstance(fault.effect, DeliveryEffect):
            self.deciding.add(fault.account)

    async def _first_acting(self, matching: Iterable[Fault]) -> Fault | None:
        """Return the first fault that acts, and count the match for it and for those before it."""
        for fault in matching:
            counted = fault.counted()
            await self._store.faults.count(counted)
            if fault.acts_next():
                return counted
        return None
