"""The words that clients, test suites and files rely on are those of fixtures/wire-words.json."""

import json

from receiver import Receiver
from wire_words import WORDS, flat, words


async def test_no_wire_word_is_missing_or_unlisted(receiver: Receiver) -> None:
    listed, found = flat(json.loads(WORDS.read_text())), flat(await words(receiver))
    assert sorted(listed - found) == [], "these are gone"
    assert sorted(found - listed) == [], "these are new: add them to the list"
