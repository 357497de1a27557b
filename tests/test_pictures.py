"""The pictures of the page can be taken anew."""

from pathlib import Path

import pictures
import pytest
from browsing import executable

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_each_picture_is_taken_in_light_and_in_dark(tmp_path: Path) -> None:
    executable()
    await pictures.main(tmp_path)
    taken = {each.name for each in tmp_path.iterdir()}
    assert taken == {each.name for each in pictures.PICTURES.iterdir()}
    assert all(each.stat().st_size > 20_000 for each in tmp_path.iterdir())
