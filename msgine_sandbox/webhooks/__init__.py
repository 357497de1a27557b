"""Telling the account's endpoints what became of its messages: sign, send, record, retry."""
