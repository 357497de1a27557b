"""`msgine-sandbox serve`: settings from flags and variables, and the server."""

import errno
import os
import sys
from dataclasses import Field, fields
from enum import StrEnum
from typing import Any, TextIO, get_args, get_type_hints

import click

from msgine_sandbox.cli.options import DOCS, SettingOption, discard, print_error, usage_error
from msgine_sandbox.settings import (
    Settings,
    SettingsError,
    default_of,
    environment_name,
    flag,
    opposite_flag,
    unknown_variables,
)


def _option(of: "Field[Any]", hint: Any) -> click.Option:
    default = default_of(of)
    default = str(default) if isinstance(default, StrEnum) else default
    kind = _kind(hint)
    opposite = opposite_flag(of)
    return SettingOption(
        [flag(of) if opposite is None else f"{flag(of)}/{opposite}", of.name],
        type=click.Choice([str(word) for word in kind]) if issubclass(kind, StrEnum) else kind,
        is_flag=kind is bool,
        multiple=default == (),
        default=default,
        show_default=default not in (None, (), False),
        envvar=environment_name(of),
        metavar=of.metadata["metavar"],
        help=of.metadata["help"],
    )


def _kind(hint: Any) -> type[Any]:
    """Return the type of one value: `str` for both `str | None` and `tuple[str, ...]`."""
    [kind, *_] = get_args(hint) or (hint,)
    return kind  # type: ignore[no-any-return]


@click.pass_context
def _serve(ctx: click.Context, /, **values: Any) -> None:
    """Serve the sandbox until SIGTERM or SIGINT."""
    # Here, so that --help does not import the server.
    from msgine_sandbox.server import serve
    from msgine_sandbox.storage.file import DatabaseUnusable

    for sentence in unknown_variables(os.environ):
        print_error(f"warning: {sentence}")
    try:
        serve(Settings(**values), print_url)
    except SettingsError as error:
        raise usage_error(ctx, str(error)) from error
    except DatabaseUnusable as error:
        raise usage_error(ctx, f"--database {error}") from error


def print_url(url: str) -> None:
    """Print the base URL, which is the first line of standard output.

    Raises:
        SettingsError: standard output cannot be written to.
    """
    output: TextIO | None = sys.stdout
    try:
        if output is None:
            raise OSError(errno.EBADF, "it is closed")
        print(url, flush=True)
    except OSError as error:
        discard(output)
        why = str(error.strerror).lower()
        sentence = f"The base URL cannot be written to standard output: {why}."
        raise SettingsError(sentence) from error


_HINTS = get_type_hints(Settings)
serve = click.Command(
    "serve",
    callback=_serve,
    params=[_option(each, _HINTS[each.name]) for each in fields(Settings)],
    help=_serve.__doc__,
    epilog=DOCS,
)
