"""Sends and reads against the bare echo, by a client that is at work between its requests.

A client that is as fast as it can be keeps both servers busy, so that each answers many requests
when it wakes. An ordinary one takes longer than the echo, which then wakes for each request; a
slower server still finds several. So the share is larger, though nothing else has changed.
"""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import exchanges
from benchmarks.figures import Figure, Scale

PAUSE = 200
"""Microseconds of the client for each request: half of what Python's usual clients take."""
_PREFIX = "paced-"
ROWS = tuple(
    replace(row, name=_PREFIX + row.name, what=f"{row.what}, busy client")
    for row in exchanges.ROWS
    if row.goal is not None
)


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows."""
    plain = {name.removeprefix(_PREFIX) for name in names}
    for each in exchanges.measure(plain, replace(scale, pause=scale.pause or PAUSE)):
        yield replace(each, row=_PREFIX + each.row)
