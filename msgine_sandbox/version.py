"""The version; a module of its own in the lowest layer, so that every other one may import it."""

__version__ = "0.1.0"
