"""Rows in, dataclasses out: one class for each noun, on one database."""
