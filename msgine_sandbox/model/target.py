"""What a push goes to: a device's token as it is, `user:ID`, or `topic:NAME`. Our choice."""

from typing import Final

from msgine_sandbox.model.errors import InvalidRequest

USER: Final = "user:"
TOPIC: Final = "topic:"
MAX_TARGET: Final = 4096
_EXPECTED: Final = f"1 to {MAX_TARGET} characters, all of them printable"


def checked_token(token: str, field: str = "tokens") -> str:
    """Give a device's token back.

    Raises:
        InvalidRequest: it is empty, too long, or has what no token has (our choice).
    """
    if token.startswith((USER, TOPIC)):
        raise InvalidRequest(
            f"{field} must be what a platform gives; the sandbox writes users and topics like this",
            field=field,
            value=token,
            expected=f"a token that begins neither with {USER} nor with {TOPIC}",
        )
    return _checked(token, field)


def to_user(identifier: str) -> str:
    """Give the recipient that a user is.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{USER}{_checked(identifier, 'userIds')}"


def to_topic(name: str) -> str:
    """Give the recipient that a topic is.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{TOPIC}{_checked(name, 'topic')}"


def _checked(text: str, field: str) -> str:
    if 1 <= len(text) <= MAX_TARGET and text.isprintable() and text.strip() == text:
        return text
    raise InvalidRequest(
        f"{field} must have {_EXPECTED}", field=field, value=text, expected=_EXPECTED
    )
