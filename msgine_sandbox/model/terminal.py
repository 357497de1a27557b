"""Text of any origin, for a terminal."""


def printable(text: str) -> str:
    """Return a text with everything escaped that a terminal may interpret instead of show.

    Those are control characters, line breaks of all kinds, and characters that change the direction
    of text; lone surrogates, which cannot be encoded, are escaped as well.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
