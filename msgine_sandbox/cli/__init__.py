"""The command `msgine-sandbox`: its group of commands, each of which has a module of its own."""

import sys
from importlib import import_module
from typing import Final

import click

from msgine_sandbox.cli.options import DOCS, discard, print_error
from msgine_sandbox.settings import Settings
from msgine_sandbox.version import __version__

_COMMANDS: Final = {
    "serve": "serve",
    "ready": "ready",
    "tail": "tail",
    "wait": "messages",
    "send": "messages",
    "advance": "clock",
    "diff": "diff",
    "mcp": "agents",
}
"""The commands in the order of `--help`, with the modules that define them."""

USAGE_ERROR: Final = 2
_EPILOG: Final = f"""\b
Examples:
  msgine-sandbox --tier free                       serve on port {Settings().port}
  msgine-sandbox tail                              watch all that happens
  msgine-sandbox send +256772123456 "Hello"        send an SMS
  msgine-sandbox wait --to +256772123456 --code    print the one-time code
  msgine-sandbox advance 1h                        move the clock by an hour

\b
{DOCS}
Shell completion: eval "$(_MSGINE_SANDBOX_COMPLETE=bash_source msgine-sandbox)"; also zsh, fish.
"""


class _Commands(click.Group):
    """A group that imports a command when it is used, and runs `serve` when none is named.

    The server starts faster when the other commands and what they need are not imported.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        of_the_group = {"--help", "--version"}
        # Not while a shell completes the name of a command.
        names_none = not args and not ctx.resilient_parsing
        if names_none or (args and args[0].startswith("-") and args[0] not in of_the_group):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        name: str,
    ) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = import_module(f"msgine_sandbox.cli.{_COMMANDS[name]}")
        command: click.Command = getattr(module, name)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the flags of `serve` as well, because they work without naming it."""
        super().format_options(ctx, formatter)
        serve = self.get_command(ctx, "serve")
        assert serve is not None  # noqa: S101
        rows = [row for each in serve.get_params(ctx) if (row := each.get_help_record(ctx))]
        with formatter.section("Options of serve, the default command"):
            formatter.write_dl(rows)


@click.group(cls=_Commands, epilog=_EPILOG)
@click.version_option(__version__, prog_name="msgine-sandbox")
def cli() -> None:
    """Run the MsGine API (SMS, email and push) locally; `serve` is the default command."""


def main() -> None:
    """Run the command; invalid input prints a one-sentence error and exits with status 2."""
    try:
        # Not standalone, because click would print the usage before the error.
        status = cli(prog_name="msgine-sandbox", standalone_mode=False)
    except click.ClickException as error:
        _exit_with_error(error.format_message())
    except click.Abort:
        _exit_with_error("Stopped.")
    except OSError as error:  # no defect: standard output cannot be written, for example
        discard(sys.stdout)
        _exit_with_error(f"{error}.")
    sys.exit(status if isinstance(status, int) else 0)


def _exit_with_error(sentence: str) -> None:
    print_error(sentence)
    sys.exit(USAGE_ERROR)
