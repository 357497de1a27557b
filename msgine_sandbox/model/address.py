"""Which texts are email addresses (RFC 5321 and 5322, as far as mail is really sent to them)."""

from functools import lru_cache

from msgine_sandbox.model.errors import InvalidRequest

EmailAddress = str
"""An address that has been checked, as it was written."""

LONGEST = 320
LONGEST_MAILBOX = 1000
_KEPT = 8192


def checked_address(text: str, field: str = "to") -> EmailAddress:
    """Give the text back as an address.

    Raises:
        InvalidRequest: it is none, or one that no mail reaches (our choice).
    """
    return _checked(text, field, "an email address", named=False)


def checked_mailbox(text: str, field: str = "from") -> str:
    """Give the text back as an address, or as `Name <address>`. Source: seen in SDKs.

    Raises:
        InvalidRequest: it is neither.
    """
    return _checked(text, field, "an email address, or Name <address>", named=True)


def _checked(text: str, field: str, expected: str, *, named: bool) -> str:
    longest = LONGEST_MAILBOX if named else LONGEST
    reason = (
        f"It has over {longest} characters." if len(text) > longest else _problem(text, named=named)
    )
    if reason is None:
        return text
    raise InvalidRequest(
        f"{field} must be {expected}", field=field, value=text, expected=expected, reason=reason
    )


@lru_cache(_KEPT)
def _problem(text: str, *, named: bool) -> str | None:
    import email_validator  # here, to keep it off the path to the first answer

    try:
        email_validator.validate_email(
            text,
            allow_display_name=named,
            check_deliverability=False,  # no look at DNS: nothing leaves the sandbox
            strict=True,
            test_environment=True,  # names under .test, which RFC 6761 keeps for tests
        )
    except email_validator.EmailNotValidError as error:
        return str(error)
    return None
