"""The words that settings choose between.

It imports the standard library only: the process of a test suite reads the settings, too, before it
starts the sandbox, and needs nothing else of the server.
"""

from enum import StrEnum


class Tier(StrEnum):
    """The rate limits that an account starts with. Source: documented elsewhere."""

    FREE = "free"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    UNLIMITED = "unlimited"


class DeliveryMode(StrEnum):
    """What changes the status of messages."""

    AUTO = "auto"
    """The carrier, as time passes."""
    MANUAL = "manual"
    """Calls of the control API only."""


class Answers(StrEnum):
    """The form of answers where MsGine's documents and its service differ."""

    DOCUMENTED = "documented"
    """As the REST API page shows them."""
    OBSERVED = "observed"
    """As the only recorded answer of the service, in the history of an SDK."""


class WebhookPolicy(StrEnum):
    """Where webhooks may be sent."""

    LOCAL = "local"
    """To this machine and private networks: the normal case."""
    ANY = "any"
    PUBLIC = "public"


class NumberCheck(StrEnum):
    """Which phone numbers are accepted; each of them accepts less than the one before."""

    FORMAT = "format"
    """Those in the form of E.164, of any country code and length."""
    POSSIBLE = "possible"
    """Those whose length is possible in the numbering plan of their country."""
    VALID = "valid"
    """Those that are assigned in it."""
