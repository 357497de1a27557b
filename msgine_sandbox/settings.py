"""Every setting, written once: flags, environment names and the docs' table come from here."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from typing import Any, get_args

from msgine_sandbox.model.choices import Answers, DeliveryMode, NumberCheck, Tier, WebhookPolicy

BASE_PATH = "/api/v1"
"""Where the API is, as it is below the host of the real service."""
ENVIRONMENT = "MSGINE_SANDBOX_"
URL_VARIABLE = "MSGINE_SANDBOX_URL"
"""Names the sandbox that commands such as `tail` talk to; it is no setting of a server."""
ALL_ADDRESSES = frozenset({"0.0.0.0", "::"})  # noqa: S104  (compared with, not bound to)
"""Hosts that mean every address of this machine, and that no client can connect to."""


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message says why in one sentence."""


def setting(default: Any, text: str, metavar: str | None = None) -> Any:
    """Declare a setting with its default and its sentence in the help."""
    return field(default=default, metadata={"help": text, "metavar": metavar})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a sandbox behaves; durations are in seconds."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8256, "Port to listen on; 0 picks a free one.")
    database: str | None = setting(None, "SQLite file for the data; without it, memory.", "PATH")
    token: tuple[str, ...] = setting(
        (), "Accept only this token; may be repeated. Without it, every token is accepted."
    )
    tier: Tier = setting(Tier.STARTER, "Tier of accounts whose token does not name one.")
    keep_messages: int | None = setting(
        None,
        "Messages to keep, the newest ones; 0 keeps all. Without it, 100000 in memory and all in a "
        "file.",
        "NUMBER",
    )
    keep_megabytes: int | None = setting(
        None,
        "Megabytes of messages to keep, the newest ones; 0 keeps all. Without it, 256 in memory "
        "and all in a file.",
        "NUMBER",
    )
    keep_for: float = setting(
        0.0, "Seconds of real time after which a message is deleted; 0 keeps it.", "SECONDS"
    )
    answers: Answers = setting(
        Answers.DOCUMENTED,
        "Ids, cost and status as documented, or as the only recorded answer of the service has "
        "them.",
    )
    delivery: DeliveryMode = setting(
        DeliveryMode.AUTO,
        "Change statuses automatically over time, or only through the control API.",
    )
    sent_after: float = setting(0.5, "Seconds from acceptance until a message is sent.", "SECONDS")
    delivered_after: float = setting(
        2.0, "Seconds from acceptance until a message is delivered.", "SECONDS"
    )
    strict_auth: bool = setting(False, "Refuse a token that Authorization has without Bearer.")
    numbers: NumberCheck | None = setting(
        None,
        "Phone numbers to accept: all in the form of E.164, those of a possible length, or only "
        "assigned ones. Without it, possible.",
    )
    strict_numbers: bool = setting(False, "The same as --numbers valid.")
    strict_idempotency: bool = setting(
        False, "Answer 422 when an idempotency key is reused with another request."
    )
    allowed_host: tuple[str, ...] = setting(
        (), "Host name to accept besides localhost; may be repeated.", "NAME"
    )
    root_path: str | None = setting(
        None,
        "Path under which a proxy serves the sandbox, such as /sandbox; the proxy may strip it.",
        "PATH",
    )
    control_token: str | None = setting(
        None, "Require this token, sent as X-Control-Token, under /_sandbox.", "TOKEN"
    )
    account_pages: bool = setting(
        False,
        "Under --control-token, let the token of an account open the page and the control calls of "
        "that account alone.",
    )
    webhook_policy: WebhookPolicy = setting(
        WebhookPolicy.LOCAL,
        "Send webhooks to local addresses only, to public ones only, or to any.",
    )
    webhook_timeout: float = setting(
        15.0, "Seconds in which a receiver must complete its response to a webhook.", "SECONDS"
    )
    webhook_ca: str | None = setting(
        None,
        "PEM file of certificate authorities to trust besides the usual ones.",
        "PATH",
    )
    scenario: str | None = setting(
        None, "JSON file with the accounts and messages to start with.", "FILE"
    )
    tls: bool = setting(
        False, "Serve HTTPS with a certificate for localhost (needs msgine-sandbox[tls])."
    )
    tls_ca: str | None = setting(
        None, "File to which to write the certificate authority that --tls creates.", "PATH"
    )
    stop_with_stdin: bool = setting(
        False, "Stop when standard input ends, for a program that runs the sandbox as its child."
    )
    quiet: bool = setting(
        False, "Write no log of requests and webhooks, only errors of the sandbox itself."
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _value(each, getattr(self, each.name)))
        _check(self)

    @property
    def root(self) -> str:
        """What stands before every path of the sandbox in a link: `--root-path`, or nothing."""
        return self.root_path or ""

    @property
    def number_check(self) -> NumberCheck:
        """Which phone numbers are accepted, by either setting."""
        return NumberCheck.VALID if self.strict_numbers else self.numbers or NumberCheck.POSSIBLE


def flag(of: "Field[Any]") -> str:
    """Return the flag of a setting, such as `--sent-after`."""
    return "--" + of.name.replace("_", "-")


def opposite_flag(of: "Field[Any]") -> str | None:
    """Return the flag that turns a setting off, such as `--no-tls`; only booleans have one."""
    return f"--no-{flag(of)[2:]}" if isinstance(default_of(of), bool) else None


def environment_name(of: "Field[Any]") -> str:
    """Return the environment variable of a setting, such as `MSGINE_SANDBOX_PORT`."""
    return ENVIRONMENT + of.name.upper()


def renamed(sentence: str, name_of: "Callable[[Field[Any]], str]") -> str:
    """Return a sentence that names settings as its reader has written them.

    In it they have their flags, or, from a sandbox that this process has started, their variables.
    """
    named = {name(each): each for each in fields(Settings) for name in (flag, environment_name)}

    def replace(found: re.Match[str]) -> str:
        setting = named.get(found[0])
        return found[0] if setting is None else name_of(setting)

    return re.sub(_NAME, replace, sentence)


def unknown_variables(names: Iterable[str]) -> Iterator[str]:
    """Return a sentence for each variable that looks like one of a setting and is none."""
    known = {URL_VARIABLE, *(environment_name(each) for each in fields(Settings))}
    for name in sorted(names):
        if name.upper().startswith(ENVIRONMENT) and name not in known:
            nearest = _nearest(name[len(ENVIRONMENT) :].lower(), environment_name)
            yield f"{name} is not a setting, and is ignored{nearest}"


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Return settings by their names in Python, such as `sent_after`.

    Raises:
        SettingsError: there is no such setting, or its value cannot be used.
    """
    unknown = values.keys() - {each.name for each in fields(Settings)}
    if unknown:
        [name, *_] = sorted(map(str, unknown))
        raise SettingsError(f"There is no setting {name}{_nearest(name, lambda of: of.name)}")
    return Settings(**values)


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment variables that hand settings to another process."""
    values = {environment_name(each): getattr(settings, each.name) for each in fields(Settings)}
    return {
        name: " ".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value not in (None, ())
    }


def default_of(of: "Field[Any]") -> Any:
    """Return the default of a setting; every one has a default."""
    assert of.default is not MISSING  # noqa: S101
    return of.default


def table() -> list[Mapping[str, str]]:
    """Return the rows of the settings table in the docs."""
    return [
        {
            "flag": flag(each),
            "opposite": opposite_flag(each) or "",
            "environment": environment_name(each),
            "default": _default_text(default_of(each)),
            "what": each.metadata["help"],
        }
        for each in fields(Settings)
    ]


def _nearest(name: str, name_of: "Callable[[Field[Any]], str]") -> str:
    """Return the end of a sentence about an unknown setting: the one whose name is like it."""
    from difflib import get_close_matches  # here, because most starts have no use for it

    known = {each.name: each for each in fields(Settings)}
    found = get_close_matches(name, known, n=1)
    return f"; did you mean {name_of(known[found[0]])}?" if found else "."


def _default_text(value: Any) -> str:
    if value is None or value == ():
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{str(value).lower()}`"


def _value(of: "Field[Any]", value: Any) -> Any:
    """Return a value in the type of its setting, which plain Python values are accepted for."""
    default = default_of(of)
    if value is None and default is None:
        return None
    [word, *_] = get_args(of.type) or (of.type,)
    if isinstance(word, type) and issubclass(word, StrEnum):
        return _enum_member(of, word, value)
    if isinstance(default, bool):
        return _checked(of, value, isinstance(value, bool), "true or false")
    if isinstance(default, int | float) or int in get_args(of.type):
        kind, expected = (
            (float, "a number") if isinstance(default, float) else (int, "a whole number")
        )
        is_number = isinstance(value, int | kind) and not isinstance(value, bool)
        return _checked(of, value, is_number, expected)
    if default == ():
        texts = (value,) if isinstance(value, str) else value
        return tuple(_checked_texts(of, texts, "a text or a list of texts"))
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    # No program takes a null character in a path or a variable.
    return _checked(of, text, isinstance(text, str) and "\0" not in text, "a text")


def _checked(of: "Field[Any]", value: Any, holds: bool, expected: str) -> Any:
    if not holds:
        # Not the value itself, which may be a credential.
        raise SettingsError(f"{flag(of)} must be {expected}, not of type {type(value).__name__}.")
    return value


def _checked_texts(of: "Field[Any]", values: Any, expected: str) -> Any:
    for each in _checked(of, values, isinstance(values, tuple | list), expected):
        if not isinstance(each, str):
            raise SettingsError(
                f"{flag(of)} must be {expected}, not a {type(values).__name__} with a value of type"
                f" {type(each).__name__}."
            )
    return values


def _enum_member(of: "Field[Any]", kind: type[StrEnum], value: Any) -> StrEnum:
    try:
        return kind(value)
    except ValueError as error:
        raise SettingsError(f"{flag(of)} must be one of {', '.join(kind)}.") from error


def _check(settings: Settings) -> None:
    rules = [
        (0 <= settings.port <= 65535, "--port must be from 0 to 65535."),
        (0 <= settings.sent_after <= 86400, "--sent-after must be from 0 to 86400 seconds."),
        (
            settings.sent_after <= settings.delivered_after <= 86400,
            "--delivered-after must be from --sent-after to 86400 seconds.",
        ),
        (
            0 < settings.webhook_timeout <= 600,
            "--webhook-timeout must be above 0 and at most 600 seconds.",
        ),
        (
            all(map(is_host, settings.allowed_host)),
            "--allowed-host must be a host name, without scheme and port.",
        ),
        (
            settings.root_path is None or bool(re.fullmatch(_ROOT_PATH, settings.root_path)),
            "--root-path must begin with a slash and not end with one, such as /sandbox, and have "
            "only letters, digits and - . _ ~ between slashes.",
        ),
        (
            not _is_own_path(settings.root_path or ""),
            f"--root-path {settings.root_path} is a path of the sandbox itself: choose one that "
            f"does not begin with {', '.join(_OWN_PATHS[:-1])} or {_OWN_PATHS[-1]}.",
        ),
        (all(map(is_token, settings.token)), _CREDENTIAL_RULE.format("--token")),
        (
            settings.control_token is None or is_token(settings.control_token),
            _CREDENTIAL_RULE.format("--control-token"),
        ),
        (
            # Not which of them came from a flag and which from a variable: none is ignored.
            not settings.strict_numbers or settings.numbers in {None, NumberCheck.VALID},
            f"--strict-numbers means valid, which --numbers {settings.numbers} contradicts: "
            "give one of the two.",
        ),
        (
            not settings.account_pages or settings.control_token is not None,
            "--account-pages needs --control-token.",
        ),
        *_retention_rules(settings),
        (settings.tls or settings.tls_ca is None, "--tls-ca needs --tls."),
        (settings.database != "", "--database needs the path of a file."),
        (settings.scenario != "", "--scenario needs the path of a file."),
        (settings.tls_ca != "", "--tls-ca needs the path of a file."),
    ]
    for holds, sentence in rules:
        if not holds:
            raise SettingsError(sentence)


def _retention_rules(settings: Settings) -> list[tuple[bool, str]]:
    return [
        (
            0 <= (settings.keep_messages or 0) <= 10**9,
            "--keep-messages must be from 0 to 1000000000.",
        ),
        (
            0 <= (settings.keep_megabytes or 0) <= 10**6,
            "--keep-megabytes must be from 0 to 1000000.",
        ),
        (
            0 <= settings.keep_for <= 10 * 365 * 86400,
            "--keep-for must be from 0 to 315360000 seconds.",
        ),
    ]


# Texts, because few starts need them, and to compile them takes time from each.
_HOST_NAME = r"(?!.{254})[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?"
_ROOT_PATH = r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)+"
_OWN_PATHS = (BASE_PATH, "/_sandbox", "/docs", "/ui", "/openapi.json", "/llms.txt")
_NAME = rf"(?<!\S)(?:--[a-z-]+|{ENVIRONMENT}[A-Z_]+)(?![\w-])"
_CREDENTIAL_RULE = "{} must be printable ASCII without spaces, and not empty."


def is_host(text: str) -> bool:
    """Return whether a text is a host name or an address, without scheme and port."""
    return bool(re.fullmatch(_HOST_NAME, text)) or is_address(text)


def _is_own_path(root: str) -> bool:
    """Return whether a request for a path of the sandbox could be taken for one below a root."""
    return root == "/api" or any(root == own or root.startswith(f"{own}/") for own in _OWN_PATHS)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address, without brackets and port."""
    from ipaddress import ip_address  # here, because tests that start a sandbox wait for imports

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_token(text: str) -> bool:
    """Return whether a text can be sent as a credential in a header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
