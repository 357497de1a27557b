"""Timelines: what is seen at an instant is what happens if each change is performed when due."""

from hypothesis import given
from hypothesis import strategies as st

from msgine_sandbox.model.delivery import (
    NEXT,
    PlannedStatus,
    Status,
    StatusChange,
    Timeline,
    Timelines,
    planned_timelines,
    stored_timelines,
)

ACCEPTED = 1_700_000_000_000_000
INSTANTS = st.integers(0, 6).map(ACCEPTED.__add__)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Return a timeline that a carrier could plan."""
    statuses = draw(
        st.sampled_from(
            [
                [Status.PENDING],
                [Status.PENDING, Status.SENT],
                [Status.PENDING, Status.SENT, Status.DELIVERED],
                [Status.PENDING, Status.SENT, Status.FAILED],
                [Status.PENDING, Status.FAILED],
                [Status.QUEUED, Status.PENDING, Status.SENT, Status.DELIVERED],
            ]
        )
    )
    later = sorted(draw(st.lists(st.integers(0, 5), min_size=3, max_size=3)))
    times = [0, *later][: len(statuses)]
    return tuple(
        PlannedStatus(status, after, "no reason" if status is Status.FAILED else None)
        for status, after in zip(statuses, times, strict=True)
    )


MESSAGES = st.lists(timelines(), min_size=1, max_size=4).map(
    lambda each: planned_timelines(ACCEPTED, 1, each)
)


class Performed:
    """A message whose planned changes are performed one by one, each when it is due."""

    def __init__(self, planned: Timelines) -> None:
        self.histories = [[timeline[0].status] for timeline in planned.each]
        self._steps = sorted(
            (ACCEPTED + one.after, position, number, one.status)
            for position, timeline in enumerate(planned.each)
            for number, one in enumerate(timeline[1:])
        )

    def run_until(self, now: int) -> None:
        while self._steps and self._steps[0][0] <= now:
            _, position, _, status = self._steps.pop(0)
            self.change(position, status)

    def change(self, position: int, status: Status) -> bool:
        history = self.histories[position]
        if status not in NEXT[history[-1]]:
            return False
        history.append(status)
        return True

    @property
    def statuses(self) -> list[Status]:
        return [history[-1] for history in self.histories]


def statuses(planned: Timelines, now: int) -> list[list[Status]]:
    deliveries = planned.deliveries_at(map(str, range(planned.recipients)), now)
    return [[status for status, _ in delivery.history] for delivery in deliveries]


@given(MESSAGES, st.lists(INSTANTS, max_size=4).map(sorted))
def test_what_is_seen_is_what_has_been_performed(planned: Timelines, instants: list[int]) -> None:
    performed = Performed(planned)
    for now in instants:
        performed.run_until(now)
        assert statuses(planned, now) == performed.histories
        assert planned.statuses_at(now) == performed.statuses
        assert len(set(performed.statuses)) > 1 or planned.status_at(now) == performed.statuses[0]


@given(
    MESSAGES,
    st.lists(st.tuples(INSTANTS, st.integers(0, 3), st.sampled_from(Status)), max_size=5).map(
        lambda changes: sorted(changes, key=lambda change: change[0])
    ),
)
def test_what_is_set_by_hand_leaves_of_the_rest_what_the_lifecycle_allows(
    planned: Timelines, changes: list[tuple[int, int, Status]]
) -> None:
    performed = Performed(planned)
    for now, number, status in changes:
        position = number % planned.recipients
        performed.run_until(now)
        if performed.change(position, status):
            planned = planned.with_changes([StatusChange(1, position, status, now)], now)
        assert planned.statuses_at(now) == performed.statuses
    performed.run_until(planned.ends_at)
    assert planned.statuses_at(planned.ends_at) == performed.statuses


@given(MESSAGES, INSTANTS, INSTANTS)
def test_changes_are_counted_and_found_by_the_instant_at_which_they_begin(
    planned: Timelines, first: int, second: int
) -> None:
    after, until = sorted([first, second])
    changes = [
        change
        for at in sorted(planned.instants())
        for change in planned.changes(1, at)
        if after < at <= until
    ]
    assert len(changes) == planned.count(after, until)
    assert {(change.at, change.position) for change in changes} == {
        (ACCEPTED + one.after, position)
        for position, timeline in enumerate(planned.each)
        for one in timeline[1:]
        if after < ACCEPTED + one.after <= until
    }


@given(MESSAGES, INSTANTS)
def test_what_is_stored_is_read_again(planned: Timelines, now: int) -> None:
    text = planned.form.text
    assert stored_timelines(ACCEPTED, 1, planned.recipients, text) == planned
    ended = planned.until(now)
    assert statuses(ended, planned.ends_at) == statuses(planned, now)
