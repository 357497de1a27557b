"""Python client of a sandbox, for tests, and the pytest plugin.

Names are imported when they are first used: the plugin is loaded in every session of pytest where
the package is installed, and a session that does not use it must not become slower. With any of
them comes the whole client: a module of tests imports it before its tests replace what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgine_sandbox.testing.magic import ANSWER_LATE as ANSWER_LATE
from msgine_sandbox.testing.magic import ANSWER_LOST as ANSWER_LOST
from msgine_sandbox.testing.magic import DELIVERED as DELIVERED
from msgine_sandbox.testing.magic import DELIVERED_AN_HOUR_LATER as DELIVERED_AN_HOUR_LATER
from msgine_sandbox.testing.magic import REFUSED as REFUSED
from msgine_sandbox.testing.magic import STAYS_PENDING as STAYS_PENDING
from msgine_sandbox.testing.magic import STAYS_SENT as STAYS_SENT
from msgine_sandbox.testing.magic import UNREACHABLE as UNREACHABLE
from msgine_sandbox.testing.magic import WEBHOOKS_BACKWARDS as WEBHOOKS_BACKWARDS
from msgine_sandbox.testing.magic import WEBHOOKS_FORGED as WEBHOOKS_FORGED
from msgine_sandbox.testing.magic import WEBHOOKS_LOST as WEBHOOKS_LOST
from msgine_sandbox.testing.magic import WEBHOOKS_TWICE as WEBHOOKS_TWICE
from msgine_sandbox.testing.magic import answered as answered
from msgine_sandbox.testing.magic import magic_address as magic_address
from msgine_sandbox.testing.magic import magic_token as magic_token

if TYPE_CHECKING:
    from msgine_sandbox.testing.account import Account as Account
    from msgine_sandbox.testing.account import AccountSettings as AccountSettings
    from msgine_sandbox.testing.clock import Clock as Clock
    from msgine_sandbox.testing.clock import Due as Due
    from msgine_sandbox.testing.coverage import Coverage as Coverage
    from msgine_sandbox.testing.errors import MessageNotFound as MessageNotFound
    from msgine_sandbox.testing.errors import NoCode as NoCode
    from msgine_sandbox.testing.errors import SandboxError as SandboxError
    from msgine_sandbox.testing.errors import SandboxUnreachable as SandboxUnreachable
    from msgine_sandbox.testing.errors import WebhookNotFound as WebhookNotFound
    from msgine_sandbox.testing.faults import Fault as Fault
    from msgine_sandbox.testing.faults import Faults as Faults
    from msgine_sandbox.testing.journal import ClientWarning as ClientWarning
    from msgine_sandbox.testing.journal import JournalEntry as JournalEntry
    from msgine_sandbox.testing.journal import Requests as Requests
    from msgine_sandbox.testing.messages import Message as Message
    from msgine_sandbox.testing.messages import Messages as Messages
    from msgine_sandbox.testing.messages import Recipient as Recipient
    from msgine_sandbox.testing.receiver import Received as Received
    from msgine_sandbox.testing.receiver import WebhookReceiver as WebhookReceiver
    from msgine_sandbox.testing.report import Report as Report
    from msgine_sandbox.testing.report import Retry as Retry
    from msgine_sandbox.testing.server import Server as Server
    from msgine_sandbox.testing.server import connect as connect
    from msgine_sandbox.testing.server import start as start
    from msgine_sandbox.testing.webhooks import Attempt as Attempt
    from msgine_sandbox.testing.webhooks import Endpoint as Endpoint
    from msgine_sandbox.testing.webhooks import Webhooks as Webhooks

_MODULES = {
    "Account": "account",
    "AccountSettings": "account",
    "Attempt": "webhooks",
    "ClientWarning": "journal",
    "Clock": "clock",
    "Coverage": "coverage",
    "Due": "clock",
    "Endpoint": "webhooks",
    "Fault": "faults",
    "Faults": "faults",
    "JournalEntry": "journal",
    "Message": "messages",
    "MessageNotFound": "errors",
    "Messages": "messages",
    "NoCode": "errors",
    "Received": "receiver",
    "Recipient": "messages",
    "Report": "report",
    "Requests": "journal",
    "Retry": "report",
    "SandboxError": "errors",
    "SandboxUnreachable": "errors",
    "Server": "server",
    "WebhookNotFound": "errors",
    "WebhookReceiver": "receiver",
    "Webhooks": "webhooks",
    "connect": "server",
    "start": "server",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module(f"{__name__}.account")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
