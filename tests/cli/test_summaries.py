"""Answers of the MCP tools stay small, and say what they leave out."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from msgine_sandbox.cli.summaries import MOST_CHARACTERS, cut_texts, fitting

TEXTS = st.builds(
    lambda sign, times: sign * times, st.characters(codec="utf-8"), st.integers(0, 9999)
)
JSON = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
)


def size_of(content: Any) -> int:
    return len(msgspec.json.encode(content).decode())


@given(st.lists(st.builds(lambda text: {"text": text}, TEXTS)))
def test_a_list_has_the_first_entries_that_fit_and_says_so(entries: list[dict[str, str]]) -> None:
    answer = fitting("entries", entries, {"total": 7})
    kept = answer["entries"]
    assert kept == entries[: len(kept)]
    assert len(kept) == 1 or sum(map(size_of, kept)) <= MOST_CHARACTERS
    rest = entries[len(kept) :]
    assert answer.get("truncated", False) is bool(rest)
    if rest:
        assert sum(map(size_of, entries[: len(kept) + 1])) > MOST_CHARACTERS
    assert answer["total"] == 7


@given(JSON)
def test_texts_are_cut_off_wherever_they_are(content: Any) -> None:
    cut = cut_texts(content)
    assert cut_texts(cut) == cut
    if isinstance(content, str):
        assert cut == content or (len(cut) == 501 and content.startswith(cut[:-1]))
    if size_of(content) <= 500:
        assert cut == content
