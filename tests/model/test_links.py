"""The links in the text of a message: `fixtures/links.json` says what belongs to them."""

import pytest
from hypothesis import example, given
from hypothesis.strategies import composite, from_regex, sampled_from, text
from linear import assert_linear
from vectors import vectors

from msgine_sandbox.model.links import find_links

EXAMPLES = [(each["text"], each["links"]) for each in vectors("links.json")]
HOSTILE = [
    "https://a.example/(", "https://a/[(x]", "https://a/[(])", "(https://a)", "https://a，", "https://",
    "https://a.例", "https://例.", "http://a-", "a.", "é", "https://é", "[", "(", "x.", "h", "，", "a@b://",
]  # fmt: skip


AROUND = [
    "{}", "({})", "[{}]", "<{}>", "“{}”", "see {}.", "{}, now", "{}?!", "«{}»", "*{}*", "{}…",
    "{}👍", "（{}）", "查看{}。谢谢", "{}谢谢", "「{}」", "{}，退订", "{}، شكرا", "{}።", "{}।",
]  # fmt: skip


@pytest.mark.parametrize(("text", "links"), EXAMPLES)
def test_a_link_is_the_url_without_the_sentence_around_it(text: str, links: list[str]) -> None:
    assert find_links(text) == links


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    assert_linear(find_links, piece, before="https://")


@composite
def urls(draw):
    path = draw(from_regex(r"(/[a-z0-9_-]{1,8}){0,3}(\?[a-z]=[a-z0-9%]{1,8})?", fullmatch=True))
    return f"https://shop.example{path}"


@given(
    url=urls(),
    around=sampled_from(AROUND),
)
def test_a_url_is_found_whatever_stands_around_it(url: str, around: str) -> None:
    assert find_links(around.format(url)) == [url]


@given(text(alphabet="htps:/.a1()[]{}?!,;'\"«» \n，。（）谢é"))
@example("https://a.example/((")
@example("https://a.example/[(])")
def test_whatever_the_text_a_link_ends_well_and_its_brackets_are_balanced(any_text: str) -> None:
    for url in find_links("https://" + any_text):
        assert url[-1] not in ".,;:!?'\"([{"
        for opener, closer in ("()", "[]", "{}"):
            assert url.count(closer) <= url.count(opener)
