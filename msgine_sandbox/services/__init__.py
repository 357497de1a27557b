"""What the sandbox does, each service importing only those that stand before it.

In calling order, which import-linter checks: accounts, due_queue, idempotency, rate_limit, journal,
client_warnings, coverage, faults, webhooks.planner, deliveries, carrier, the channels and messages,
inbox, feed, webhooks.sender, scheduler, time_travel, reset. A decision takes the time as an
argument.
"""
