"""The running sandbox that a command talks to, over the control API."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import click

from msgine_sandbox.cli.options import SettingOption
from msgine_sandbox.model.characters import printable
from msgine_sandbox.settings import BASE_PATH, ENVIRONMENT, URL_VARIABLE, Settings
from msgine_sandbox.testing.client import AccountClient, ControlClient
from msgine_sandbox.testing.errors import SandboxError

DEFAULT_TOKEN: Final = "test_cli"  # noqa: S105  (any token opens an account)
NO_RESULT: Final = 1
"""The exit status where there is no result: nothing came, the API refused, or answers differ."""
_DEFAULTS: Final = Settings()
_DEFAULT_URL: Final = f"http://{_DEFAULTS.host}:{_DEFAULTS.port}"


@dataclass(frozen=True, slots=True)
class RemoteSandbox:
    """A sandbox that runs already, and the account on it that was named, if one was."""

    client: ControlClient
    token: str | None
    """None means the whole sandbox."""

    @property
    def account(self) -> AccountClient:
        """The control API with the account's token, or of the whole sandbox."""
        return AccountClient(self.client, self.token)


Command = Callable[..., int | None]


def on_a_sandbox(command: Command) -> Command:
    """Return a command with the options that name a sandbox, its first argument a RemoteSandbox.

    An error of the sandbox ends the command with a sentence.
    """

    @click.option(
        "--url",
        cls=SettingOption,
        default=_DEFAULT_URL,
        envvar=URL_VARIABLE,
        show_default=True,
        help="Origin or base URL of the sandbox.",
    )
    @click.option(
        "--token",
        cls=SettingOption,
        envvar=f"{ENVIRONMENT}TOKEN",
        help="Token of the account; without it, the whole sandbox is meant.",
    )
    @click.option(
        "--control-token",
        cls=SettingOption,
        envvar=f"{ENVIRONMENT}CONTROL_TOKEN",
        help="The token that the sandbox requires under /_sandbox, if it does.",
    )
    @functools.wraps(command)
    def run(url: str, token: str | None, control_token: str | None, **options: Any) -> int | None:
        if token is not None and " " in token:
            raise click.UsageError(f"{ENVIRONMENT}TOKEN has several tokens: name one with --token.")
        client = ControlClient(url.rstrip("/").removesuffix(BASE_PATH), control_token)
        try:
            return command(RemoteSandbox(client, token or None), **options)
        except SandboxError as error:
            raise click.ClickException(describe_error(error)) from error
        finally:
            client.close()

    return run


def describe_error(error: SandboxError) -> str:
    """Return what an error says, with the field and the reason where its details name them."""
    parts = [str(error)]
    field, reason = error.details.get("field"), error.details.get("reason")
    if field:
        parts.append(f"({field})" if reason is None else f"({field}: {reason})")
    return " ".join(parts)


def print_reason(text: str) -> int:
    """Print why there is no result to standard error, and return the exit status of that."""
    for line in text.splitlines():
        click.echo(printable(line), err=True)
    return NO_RESULT


def print_text(text: str) -> None:
    """Print a text of a message: unchanged, except that a terminal gets no escape sequence."""
    if sys.stdout.isatty():
        text = "\n".join(printable(line) for line in text.splitlines())
    click.echo(text)
