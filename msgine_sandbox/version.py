"""Which version this is; on the lowest floor, so that every room may ask."""

__version__ = "0.1.0"
