"""What the sandbox does: accounts, deliveries, webhooks, faults, rate limits and the rest.

Each service imports only those below it, in the order that stands in `pyproject.toml` and that
import-linter checks: from the bus, which announces what happened, up to the scheduler, which
performs what is due, and to reset and lifecycle, which concern them all. A decision takes the time
as an argument.
"""
