"""`msgine-sandbox ready`: whether a sandbox answers, for scripts and the image's HEALTHCHECK."""

import http.client
import ssl
import sys
import time
from typing import Final

import click

from msgine_sandbox.cli.options import SettingOption, usage_error
from msgine_sandbox.model.characters import printable
from msgine_sandbox.settings import ALL_ADDRESSES, ENVIRONMENT, Settings, SettingsError

LONGEST_WAIT: Final = 3600  # seconds
_PAUSE: Final = 0.05  # seconds between two probes of a sandbox that does not answer yet
_DEFAULTS: Final = Settings()


@click.command()
@click.option(
    "--wait",
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for the sandbox to answer.",
)
@click.option(
    "--host",
    cls=SettingOption,
    default=_DEFAULTS.host,
    envvar=f"{ENVIRONMENT}HOST",
    show_default=True,
)
@click.option(
    "--port",
    cls=SettingOption,
    default=_DEFAULTS.port,
    envvar=f"{ENVIRONMENT}PORT",
    show_default=True,
)
@click.option(
    "--tls/--no-tls",
    cls=SettingOption,
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
        raise usage_error(ctx, str(error)) from error
    except UnicodeError as error:
        raise usage_error(ctx, f"--host {host} is no host name.") from error
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
