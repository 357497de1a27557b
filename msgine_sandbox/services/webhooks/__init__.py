"""Webhooks: plan which endpoints receive an event, sign and send it, record every attempt."""
