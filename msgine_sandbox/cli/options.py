"""Options that variables of the environment can set as well, and how errors about them are said."""

import os
import sys
from typing import Any, Final, TextIO

import click
from click.core import ParameterSource

from msgine_sandbox.model.characters import printable
from msgine_sandbox.settings import Settings, environment_name, flag, renamed

_DEFAULTS: Final = Settings()
DOCS: Final = f"Once it serves, the docs are at http://{_DEFAULTS.host}:{_DEFAULTS.port}/docs/."


class _Boolean(click.types.BoolParamType):
    """What a variable of a flag without a value may say; click's sentence has an empty word."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        try:
            return bool(super().convert(value, param, ctx))
        except click.BadParameter:
            expected = "1, true, yes, on, 0, false, no, off"
            self.fail(f"{value!r} is not one of {expected}.", param, ctx)


class SettingOption(click.Option):
    """A flag that can also be set by a variable, which is then the one that errors name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.show_envvar = True
        if self.is_bool_flag:
            self.type = _Boolean()  # here, because click 8.0 takes it for no boolean's type

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the variable where the value came from it, otherwise the flag."""
        if ctx is not None and _is_variable(ctx, self.name):
            return f"'{self.envvar}'"
        # Not what an option would say, because with `show_envvar` that names both.
        return click.Parameter.get_error_hint(self, ctx)


def usage_error(ctx: click.Context, sentence: str) -> click.UsageError:
    """Return an error with a sentence about flags, with the variables that settings come from."""
    return click.UsageError(
        renamed(
            sentence, lambda of: environment_name(of) if _is_variable(ctx, of.name) else flag(of)
        )
    )


def print_error(sentence: str) -> None:
    """Print one line to standard error, if that can be written to."""
    text = printable(" ".join(sentence.splitlines()))
    try:
        click.echo(f"msgine-sandbox: {text}", err=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO | None) -> None:
    """Discard what a stream could not write; Python would try it again, and fail, as it exits."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_variable(ctx: click.Context, name: str | None) -> bool:
    return ctx.get_parameter_source(str(name)) is ParameterSource.ENVIRONMENT
