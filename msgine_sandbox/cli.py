"""The command `msgine-sandbox`: read settings from flags and environment, and serve or probe."""

import errno
import os
import sys
import time
from dataclasses import Field, fields
from enum import StrEnum
from typing import Any, NoReturn, TextIO, get_args, get_type_hints

import click
from click.core import ParameterSource

from msgine_sandbox.model.characters import printable
from msgine_sandbox.settings import (
    ALL_ADDRESSES,
    ENVIRONMENT,
    Settings,
    SettingsError,
    default_of,
    environment_name,
    flag,
    opposite_flag,
    renamed,
    unknown_variables,
)
from msgine_sandbox.version import __version__

USAGE_ERROR = 2
LONGEST_WAIT = 3600  # seconds
_PAUSE = 0.05  # seconds between two probes of a sandbox that does not answer yet


def main() -> None:
    """Run the command; invalid input prints a one-sentence error and exits with status 2."""
    try:
        # Not standalone, because click would print the usage before the error.
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        _exit_with_error(error.format_message())
    except click.Abort:
        _exit_with_error("Stopped.")
    except OSError as error:  # no defect: standard output cannot be written, for example
        _discard(sys.stdout)
        _exit_with_error(f"{error}.")
    sys.exit(status if isinstance(status, int) else 0)


class _ServeByDefault(click.Group):
    """A command group that runs `serve`, with its flags, when no command is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        of_the_group = {"--help", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in of_the_group):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the flags of `serve` as well, because they work without naming it."""
        super().format_options(ctx, formatter)
        serve = self.commands["serve"]
        rows = [row for each in serve.get_params(ctx) if (row := each.get_help_record(ctx))]
        with formatter.section("Options of serve, the default command"):
            formatter.write_dl(rows)


_DEFAULTS = Settings()
_DOCS = f"Once it serves, the docs are at http://{_DEFAULTS.host}:{_DEFAULTS.port}/docs/."


@click.group(cls=_ServeByDefault, epilog=_DOCS)
@click.version_option(__version__, prog_name="msgine-sandbox")
def cli() -> None:
    """Run the MsGine API (SMS, email and push) locally; `serve` is the default command."""


class _Boolean(click.types.BoolParamType):
    """What a variable of a flag without a value may say; click's sentence has an empty word."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        try:
            return bool(super().convert(value, param, ctx))
        except click.BadParameter:
            expected = "1, true, yes, on, 0, false, no, off"
            self.fail(f"{value!r} is not one of {expected}.", param, ctx)


class _SettingOption(click.Option):
    """A flag that can also be set by a variable, which is then the one that errors name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bool_flag:
            self.type = _Boolean()  # here, because click 8.0 takes it for no boolean's type

    def get_error_hint(self, ctx: click.Context | None) -> str:
        if ctx is not None and _is_variable(ctx, self.name):
            return f"'{self.envvar}'"
        return super().get_error_hint(ctx)


def _is_variable(ctx: click.Context, name: str | None) -> bool:
    return ctx.get_parameter_source(str(name)) is ParameterSource.ENVIRONMENT


def _usage_error(ctx: click.Context, sentence: str) -> click.UsageError:
    """Return an error with a sentence about flags, with the variables that settings come from."""
    return click.UsageError(
        renamed(
            sentence, lambda of: environment_name(of) if _is_variable(ctx, of.name) else flag(of)
        )
    )


def _option(of: "Field[Any]", hint: Any) -> click.Option:
    default = default_of(of)
    default = str(default) if isinstance(default, StrEnum) else default
    kind = _kind(hint)
    opposite = opposite_flag(of)
    return _SettingOption(
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
    # Here, so that --help and `ready` do not import the server.
    from msgine_sandbox.server import serve
    from msgine_sandbox.storage.file import DatabaseUnusable

    for sentence in unknown_variables(os.environ):
        _print_error(f"warning: {sentence}")
    try:
        serve(Settings(**values), _print_url)
    except SettingsError as error:
        raise _usage_error(ctx, str(error)) from error
    except DatabaseUnusable as error:
        raise _usage_error(ctx, f"--database {error}") from error


def _print_url(url: str) -> None:
    output: TextIO | None = sys.stdout
    try:
        if output is None:
            raise OSError(errno.EBADF, "it is closed")
        print(url, flush=True)
    except OSError as error:
        _discard(output)
        why = str(error.strerror).lower()
        sentence = f"The base URL cannot be written to standard output: {why}."
        raise SettingsError(sentence) from error


_HINTS = get_type_hints(Settings)
cli.add_command(
    click.Command(
        "serve",
        callback=_serve,
        params=[_option(each, _HINTS[each.name]) for each in fields(Settings)],
        help=_serve.__doc__,
        epilog=_DOCS,
    )
)


@cli.command()
@click.option(
    "--wait",
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for the sandbox to answer.",
)
@click.option(
    "--host",
    cls=_SettingOption,
    default=_DEFAULTS.host,
    envvar=f"{ENVIRONMENT}HOST",
    show_default=True,
)
@click.option(
    "--port",
    cls=_SettingOption,
    default=_DEFAULTS.port,
    envvar=f"{ENVIRONMENT}PORT",
    show_default=True,
)
@click.option(
    "--tls/--no-tls",
    cls=_SettingOption,
    default=False,
    envvar=f"{ENVIRONMENT}TLS",
    help="Connect over HTTPS.",
)
@click.pass_context
def ready(ctx: click.Context, wait: float, host: str, port: int, tls: bool) -> int:
    """Exit with status 0 once the sandbox answers, or with 1 if it does not."""
    try:
        Settings(port=port)
        host.encode("idna")
    except SettingsError as error:
        raise _usage_error(ctx, str(error)) from error
    except UnicodeError as error:
        raise _usage_error(ctx, f"--host {host} is no host name.") from error
    if not 0 <= wait <= LONGEST_WAIT:
        raise click.UsageError(f"--wait must be from 0 to {LONGEST_WAIT} seconds.")
    deadline = time.monotonic() + wait
    while not _answers(host, port, tls):
        if time.monotonic() >= deadline:
            print(printable(f"No sandbox answers on {host}:{port}."), file=sys.stderr)
            return 1
        time.sleep(_PAUSE)
    return 0


def _answers(host: str, port: int, tls: bool) -> bool:
    # Here, because importing them takes as long as a tenth of the server's start.
    import http.client
    import ssl

    # The probe only checks that the sandbox answers; its certificate authority is self-made.
    name = "localhost" if host in ALL_ADDRESSES else host
    connection: http.client.HTTPConnection
    if tls:
        unverified = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(name, port, timeout=2, context=unverified)
    else:
        connection = http.client.HTTPConnection(name, port, timeout=2)
    try:
        connection.request("GET", "/_sandbox/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, UnicodeError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _exit_with_error(sentence: str) -> NoReturn:
    _print_error(sentence)
    sys.exit(USAGE_ERROR)


def _print_error(sentence: str) -> None:
    text = printable(" ".join(sentence.splitlines()))
    try:
        click.echo(f"msgine-sandbox: {text}", err=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO | None) -> None:
    """Discard what a stream could not write; Python would try it again, and fail, as it exits."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
