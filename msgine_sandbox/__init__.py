"""MsGine's API on your own machine: test without credentials, phones or money."""

from contextlib import AbstractContextManager as _Context
from typing import TYPE_CHECKING
from typing import Any as _Any

from msgine_sandbox.version import __version__ as __version__

if TYPE_CHECKING:
    from msgine_sandbox.testing import Account


def start(**settings: _Any) -> "_Context[Account]":
    """Run a sandbox as a child process inside the block; return an account on it.

    Settings are those of `msgine-sandbox serve`, as `tier="free"`; the port is a free one.

    Raises:
        SettingsError: a setting cannot be used; the address cannot be listened on, for example.
        SandboxUnreachable: it ends for another reason; the text has the end of its output.
    """
    # Not from `testing`, which imports the client: here that is done while the sandbox starts.
    from msgine_sandbox.testing.server import start

    return start(**settings)


def connect(
    url: str, token: str | None = None, control_token: str | None = None
) -> "_Context[Account]":
    """Return an account on a sandbox that runs elsewhere, by its origin or base URL.

    Without a token it is a fresh account.

    Raises:
        SandboxUnreachable: no sandbox answers there.
    """
    from msgine_sandbox.testing import connect

    return connect(url, token, control_token)
