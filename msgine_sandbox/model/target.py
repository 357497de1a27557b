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
    if 1 <= len(token) <= MAX_TARGET and token.isprintable() and token.strip() == token:
        return token
    raise InvalidRequest(
        f"{field} must have {_EXPECTED}", field=field, value=token, expected=_EXPECTED
    )


def to_user(identifier: str) -> str:
    """Give the recipient that a user is.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{USER}{checked_token(identifier, 'userIds')}"


def to_topic(name: str) -> str:
    """Give the recipient that a topic is.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{TOPIC}{checked_token(name, 'topic')}"
