"""Performs steps that are due: as real time passes, or at once when an account's clock is moved."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from msgine_sandbox.model.clock import SECOND, Instant, RealTime
from msgine_sandbox.model.errors import LoopChanged
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.storage.store import Store

_log = logging.getLogger(__name__)

_BATCH: Final = 100
"""Status steps that are read and performed together, in one transaction: about 6 ms of work."""
_MAX_IN_FLIGHT: Final = 32
"""Webhooks of one account that may wait for their receivers at the same time."""
_RETRY_AFTER_FAILURE: Final = SECOND
"""Microseconds of real time after which steps are tried again that could not be performed."""


class Scheduler:
    """Performs an account's steps in the order in which they are due on its clock.

    Status steps are done at once, many in one transaction. A webhook waits for its receiver, in a
    task of its own: one at a time for a message, so that `delivered` is not sent before `sent`.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        due_queue: DueQueue,
        carrier: Carrier,
        sender: WebhookSender,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._due_queue = due_queue
        self._carrier = carrier
        self._sender = sender
        self._real = real
        self._task: asyncio.Task[None] | None = None
        self._in_flight: defaultdict[int, dict[int, asyncio.Task[None]]] = defaultdict(dict)
        """The webhook that is being sent, by account and message."""
        self._ending: set[int] = set()
        """Accounts of which a webhook has ended, and is about to begin others."""
        self._move_locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Locked while an account's clock is moved: only the move performs its steps then."""
        self._cancelled: dict[int, asyncio.Future[None]] = {}
        """Done once the move that performs an account's steps is to stop."""

    async def start(self) -> None:
        """Schedule the steps that the store has, and begin to perform; once in an event loop."""
        if self._task is not None:
            return
        for account in await self._store.steps.accounts():
            await self.reschedule(account)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; a webhook in flight keeps its step, so the next process sends it again."""
        tasks = self._tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.leave_loop()

    def leave_loop(self) -> None:
        """Forget what belongs to an event loop that has ended; `start` begins anew in another one.

        A webhook that was in flight keeps its step. So do the steps of a clock move that did not
        come to its end: they are overdue, because the moved clock is stored.
        """
        for task in self._tasks():
            if task.get_loop().is_closed():
                # From its beginning, so that what awaits ends before what it awaits. The garbage
                # collector has no order, and a connection could ask for its loop.
                coroutine = task.get_coro()
                if coroutine is not None:
                    coroutine.close()
                continue
            with suppress(RuntimeError):  # the loop has just been closed
                # It has only paused, and must not go on with the task if it runs again.
                task.get_loop().call_soon_threadsafe(task.cancel)
        for account in self._move_locks:
            self._accounts.unpin_time(account)
        self._task = None
        self._in_flight.clear()
        self._ending.clear()
        self._move_locks.clear()
        self._cancelled.clear()
        self._due_queue.clear()

    def _tasks(self) -> list[asyncio.Task[None]]:
        tasks = [send for sends in self._in_flight.values() for send in sends.values()]
        return tasks if self._task is None else [*tasks, self._task]

    async def reschedule(self, account: int) -> None:
        """Read again what an account has due next, because its clock or its steps have changed."""
        self._due_queue.forget(account)
        # Steps that another transaction of this batch has removed would never be performed.
        self._store.on_rollback(partial(self._try_again_later, account))
        try:
            steps = await self._next_steps(account)
        except Exception:
            # Such as one that failed the whole batch: the account must not stay out of the queue.
            self._try_again_later(account)
            raise
        self._due_queue.schedule(steps)

    async def _next_steps(self, account: int) -> list[Step]:
        steps = await self._store.steps.due(account, Lane.STATUS, limit=1)
        if self._room(account):  # else the next one to end, or to have its turn, reschedules
            in_flight = self._in_flight[account]
            steps += await self._store.steps.first_of_messages(account, in_flight, limit=1)
        return steps

    def _room(self, account: int) -> int:
        """Return how many more webhooks of an account should begin now."""
        own_room = _MAX_IN_FLIGHT - len(self._in_flight[account])
        return min(own_room, self._sender.room(account))

    # Moving a clock

    @asynccontextmanager
    async def clock_move(self, account: int) -> AsyncIterator[None]:
        """Keep the timer from performing an account's steps in the block; one move at a time."""
        try:
            async with self._move_locks[account]:
                yield
        finally:
            # The timer has skipped the account meanwhile, also where the move failed.
            await self.reschedule(account)

    async def run_until(self, account: int, to: Instant) -> int:
        """Perform all steps due up to an instant, each at its own time; return how many webhooks.

        Called inside `clock_move`, with the account's time pinned to the start of the move.
        """
        cancelled = self._cancelled[account] = asyncio.get_running_loop().create_future()
        try:
            # The result of a webhook in flight decides what else falls due: its next attempt.
            for send in list(self._in_flight[account].values()):
                await _first_of(send, cancelled)
            return await self._perform_until(account, to, cancelled)
        finally:
            self._cancelled.pop(account, None)  # none where the event loop has ended meanwhile

    def cancel_move(self, account: int) -> None:
        """Make `run_until` return after its present step, without waiting for a receiver."""
        cancelled = self._cancelled.get(account)
        if cancelled is not None and not cancelled.done():
            cancelled.set_result(None)

    async def _perform_until(
        self, account: int, to: Instant, cancelled: asyncio.Future[None]
    ) -> int:
        done, limit, attempted = 0, _BATCH, 0
        # Each round reads the steps again: those performed may have planned others before `to`.
        while not cancelled.done():
            webhooks = await self._store.steps.due(account, Lane.WEBHOOK, to, limit=1)
            statuses = await self._store.steps.due(account, Lane.STATUS, to, limit=limit)
            webhook = webhooks[0] if webhooks else None
            if webhook is not None:
                statuses = [step for step in statuses if step.order < webhook.order]
            if statuses:
                self._pin_time(account, statuses[0].due)
                await self._carrier.perform(statuses)
                limit = min(limit * 2, _BATCH)
            elif webhook is not None and webhook.id != attempted:
                # A step that is still there afterwards could not be sent, and is left for later.
                attempted = webhook.id
                self._pin_time(account, webhook.due)
                await _first_of(self._start_send(webhook), cancelled)
                done += 1
                # The next status probably causes a webhook as well, which must be sent before the
                # statuses after it: to read a whole batch each time would be wasted.
                limit = 1
            else:
                if webhook is not None:
                    self._store.check_disk()  # or the move would be taken for complete
                break
        return done

    def _pin_time(self, account: int, due: Instant) -> None:
        # An overdue step, such as one that fell due while no process ran, is performed late: an
        # account's time never goes back.
        self._accounts.pin_time(account, max(due, self._accounts.now(account)))

    # As real time passes

    async def _run(self) -> None:
        while True:
            await self._run_account(await self._due_queue.next_account())

    async def _run_account(self, account: int) -> None:
        if self._move_locks[account].locked():
            return  # `clock_move` reschedules at its end
        try:
            await self._run_due(account, self._accounts.now(account))
            await self.reschedule(account)
        except Exception as error:
            self._failed(account, error)

    async def _run_due(self, account: int, now: Instant) -> None:
        while statuses := await self._store.steps.due(account, Lane.STATUS, now, limit=_BATCH):
            await self._carrier.perform(statuses)
            if self._move_locks[account].locked():
                return  # a move began during the commit, and performs the rest itself
        await self._start_sends(account, now)

    async def _start_sends(self, account: int, now: Instant) -> bool:
        """Begin the webhooks that are due, as far as there is room; return whether all have."""
        in_flight, limit = self._in_flight[account], self._room(account)
        steps = await self._store.steps.first_of_messages(account, in_flight, now, limit=limit)
        for step in steps:
            self._start_send(step)
        return len(steps) < limit

    def _start_send(self, step: Step) -> asyncio.Task[None]:
        in_flight = self._in_flight[step.account]
        send = in_flight[step.message] = asyncio.create_task(self._send(step, in_flight))
        return send

    async def _send(self, step: Step, in_flight: dict[int, asyncio.Task[None]]) -> None:
        account = step.account
        try:
            try:
                await self._sender.send(step)
                goes_on = await self._is_first_to_end(account)
            finally:
                del in_flight[step.message]
            if self._in_flight.get(account) is not in_flight:
                return  # this loop has paused, and another one has taken over meanwhile
            if not goes_on or self._move_locks[account].locked():
                return
            # At once, because the timer would wait a moment for what else falls due. Where there is
            # no room left, the next one to end goes on.
            if await self._start_sends(account, self._accounts.now(account)):
                await self.reschedule(account)
        except LoopChanged:
            pass  # this loop has paused, and a later one, which still has the step, sends it again
        except Exception as error:
            # A defect or a full disk: a receiver that fails is a result, which `send` records.
            self._failed(step.account, error)

    async def _is_first_to_end(self, account: int) -> bool:
        """Return whether a webhook is the first of its account to end in this turn of the loop.

        It then goes on for all of them; many end together, because they are stored together.
        """
        if account in self._ending or self._move_locks[account].locked():
            return False
        self._ending.add(account)
        try:
            await asyncio.sleep(0)  # noqa: TID251  (an iteration of the event loop, no time)
        finally:
            self._ending.discard(account)
        return True

    def _failed(self, account: int, error: Exception) -> None:
        """Try again later what could not be performed."""
        if self._store.unavailable(error) is None:
            _log.error("Steps could not be performed; they will be tried again", exc_info=error)
        else:
            # Whoever is tried next would fail as well: one try a second for all accounts.
            self._due_queue.pause(self._real.now() + _RETRY_AFTER_FAILURE)
        self._try_again_later(account)

    def _try_again_later(self, account: int) -> None:
        self._due_queue.wake_at(account, self._real.now() + _RETRY_AFTER_FAILURE)


async def _first_of(send: asyncio.Task[None], cancelled: asyncio.Future[None]) -> None:
    """Wait until a webhook is sent or the move is cancelled; the webhook goes on in any case."""
    await asyncio.wait({send, cancelled}, return_when=asyncio.FIRST_COMPLETED)
