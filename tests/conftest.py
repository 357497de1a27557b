"""What every test may ask for."""

from collections.abc import AsyncIterator, Iterator

import pytest
from box import Box, sandbox
from receiver import Receiver, receiving


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    """A fresh account on a sandbox of its own."""
    async with sandbox() as fresh:
        yield fresh


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on a free port of this machine."""
    with receiving() as fresh:
        yield fresh
