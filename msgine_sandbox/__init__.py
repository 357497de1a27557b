"""MsGine's SMS API on your own machine: no credentials, no phones, no money."""

from msgine_sandbox.version import __version__ as __version__
