"""Faults on demand: which one acts on a request, a delivery or a webhook, counted exactly."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Final, get_args

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
from msgine_sandbox.model.webhook import EventType, WebhookMode
from msgine_sandbox.services.magic import MARKS, RequestFault, outcome_of, request_fault_of
from msgine_sandbox.storage.store import Store

MAX_FAULTS: Final = 1000
_MAGIC_BLOCK, _SANDBOX = MARKS
_PLAIN: Final = {mode: WebhookEffect(mode=mode) for mode in WebhookMode}
"""What happens to a webhook without a fault, by what its recipient asks for."""


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
        # The accounts whose faults may still act, by what these act on, so that all others cost no
        # query. An account stays in it when its faults are spent, until a query finds none.
        self._active: dict[type[Effect], set[int | None]] = {
            kind: set() for kind in get_args(Effect)
        }
        self.deciding = self._active[DeliveryEffect]
        """The accounts with faults that may still decide a delivery, or with some that were."""

    async def load(self) -> None:
        """Read from the store which accounts have faults that may still act."""
        for kind, accounts in self._active.items():
            accounts.clear()
            accounts.update(await self._store.faults.accounts(kind))

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
        # send comes here: `in` would cost an exception each in bytes, where CPython tries a number
        # first, and a regular expression takes five times as long where a body is long.
        text = body.decode("latin-1")
        return (
            not self._active[RequestEffect].isdisjoint((account, None))
            or _MAGIC_BLOCK in text
            or _SANDBOX in text.lower()
            or "\\u" in text
        )

    async def take(self, account: int, target: FaultTarget) -> Fault | None:
        """Return the fault that acts on a request of an account, and count it."""
        magic = {to: fault for to in target.recipients if (fault := request_fault_of(to))}
        if magic and target.method == "POST":
            await self._add_magic(account, magic)
        # Nothing suspends between this query and the count below, so two requests at the same time
        # cannot both use the last hit of a fault.
        faults = await self._active_of(RequestEffect, account)
        matching = [fault for fault in faults.left if fault.match.matches_request(target)]
        acting = faults.acting(matching)
        if faults.counted:  # else no commit, as for most requests of an account with faults
            async with self._store.write():
                await self.count(faults.counted)
        return acting

    async def decide(self, message: Message) -> DeliveryFaults:
        """Return the faults that decide deliveries of a new message.

        Nothing is counted until `count`, which is to follow in the transaction that stores the
        message, with nothing in between that suspends: no other message can then come first.
        """
        faults, acting = await self._active_of(DeliveryEffect, message.account), {}
        for to in message.recipients:
            matching = [
                each for each in faults.left if each.match.matches_delivery(message.channel, to)
            ]
            if (fault := faults.acting(matching)) is not None:
                acting[to] = fault
        return DeliveryFaults(acting, faults.counted)

    async def count(self, faults: Iterable[Fault]) -> None:
        """Store how often faults have acted, inside a write transaction."""
        for fault in faults:
            await self._store.faults.count(fault)

    async def take_for_webhooks(
        self, account: int, webhooks: Iterable[tuple[EventType, Recipient]]
    ) -> list[WebhookEffect]:
        """Return what happens to each webhook of an account, and count it; in a transaction."""
        faults, effects = await self._active_of(WebhookEffect, account), []
        for event, to in webhooks:
            matching = [each for each in faults.left if each.match.matches_webhook(event, to)]
            fault = faults.acting(matching)
            if fault is not None and isinstance(fault.effect, WebhookEffect):
                effects.append(fault.effect)
            else:
                effects.append(_PLAIN[outcome_of(to).webhooks])
        await self.count(faults.counted)
        return effects

    async def _active_of(self, kind: type[Effect], account: int) -> "_Candidates":
        """Return the faults with effects of a kind that may act on an account."""
        accounts = self._active[kind]
        if accounts.isdisjoint((account, None)):
            return _Candidates(())
        active = await self._store.faults.active(account)
        of_kind = [fault for fault in active if isinstance(fault.effect, kind)]
        if not of_kind:
            accounts -= {account, None}
            # One that another request of this batch has removed would act again.
            self._store.on_rollback(partial(accounts.update, {account, None}))
        return _Candidates(of_kind)

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
        self._active[type(fault.effect)].add(fault.account)


class _Candidates:
    """Faults that may act: of those that match and have hits left, the oldest does."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = {fault.id: fault for fault in faults}
        self._counted: dict[int, Fault] = {}

    @property
    def left(self) -> Collection[Fault]:
        """Those that have hits left."""
        return [fault for fault in self._faults.values() if fault.left != 0]

    @property
    def counted(self) -> Collection[Fault]:
        """Those that have matched, with how often they have."""
        return self._counted.values()

    def acting(self, matching: Iterable[Fault]) -> Fault | None:
        """Return the first fault that acts, and count the match for it and for those before it."""
        for fault in matching:
            counted = self._faults[fault.id] = self._counted[fault.id] = fault.counted()
            if counted.hits > fault.hits:
                return counted
        return None
