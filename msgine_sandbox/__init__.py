"""MsGine's SMS API on your own machine: no credentials, no phones, no money."""

__version__ = "0.1.0"
