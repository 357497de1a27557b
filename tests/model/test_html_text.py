"""The text and the links of HTML: `fixtures/html.json` says what they are."""

from html.entities import html5

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text
from linear import assert_linear
from vectors import vectors

from msgine_sandbox.model.html_text import html_to_text

EXAMPLES = [(each["html"], each["text"], each["links"]) for each in vectors("html.json")]
HOSTILE = [
    "<a ", "<a x=", "<a b='", '<p a=">', "<!--", "<!--x-", "<![", "<?", "</", "</a ", "&#1", "&#0",
    "&a", "&", "<script>", "<script></s", "<title><", "<div>", "<td>", "</p>", "<p hidden>",
    "<li hidden>", "<td hidden>", "<p hidden><button>", "<li hidden><ul>",
    "<template>", "</template>", "<head>", "<pre>", " ", "\n", " <b>", "<a href='&a&'>",
    "<i style='display:'>", "<i style=';;;;; ; ; ;'>", "<a href=1><p>",
]  # fmt: skip
LEGACY_NAMES = sorted(name for name in html5 if not name.endswith(";"))


@pytest.mark.parametrize(("html", "text", "links"), EXAMPLES)
def test_html_becomes_the_text_and_links_that_a_person_sees(
    html: str, text: str, links: list[str]
) -> None:
    assert html_to_text(html) == (text, tuple(links))


@pytest.mark.parametrize("after", ["=1", "x=1", "2", ";=1", "", "&z=1", "/"])
def test_a_parameter_named_like_a_character_stays(after: str) -> None:
    """For all names that HTML knows without a semicolon, as `timestamp`, `copy` and `region`."""
    for name in LEGACY_NAMES:
        url = f"https://shop.example/?user=7&{name}{after}"
        [link] = html_to_text(f'<a href="{url}">x</a>').links
        is_reference = after[:1] not in {"=", "x", "2"}
        character = url.replace(f"&{name};", html5[name]).replace(f"&{name}", html5[name])
        assert link == (character.strip() if is_reference else url)


@pytest.mark.parametrize("piece", HOSTILE)
def test_long_html_takes_time_in_proportion_to_its_length(piece: str) -> None:
    assert_linear(html_to_text, piece)


@given(text(sampled_from("<>/!-?&#;'\"= abpx19[]"), max_size=60))
def test_any_html_can_be_parsed(html: str) -> None:
    assert isinstance(html_to_text(html).text, str)
