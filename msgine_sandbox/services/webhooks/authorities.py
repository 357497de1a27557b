"""The certificate authorities by which receivers over HTTPS may be certified."""

import logging
import os
import ssl
import stat
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_VARIABLE: Final = "SSL_CERT_FILE"
"""Names a file in place of the usual authorities, for OpenSSL and for most programs."""


class Authorities:
    """The usual authorities, or those of SSL_CERT_FILE; besides, those of a PEM file."""

    def __init__(self, path: str | None) -> None:
        """Check the file, so that the sandbox does not start with one that is of no use.

        Raises:
            ValueError: it cannot be read, or has no certificate; in one sentence.
        """
        self._path = path
        if path is not None:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)

    def context(self) -> ssl.SSLContext:
        """Return what a client needs to verify a receiver's certificate."""
        import httpx  # here, because importing it takes longer than the first response

        try:
            context = httpx.create_ssl_context()  # reads SSL_CERT_FILE
        except OSError as error:
            # The variable is meant for all programs: it must not keep this one from working.
            path = os.environ.get(_VARIABLE)
            _log.warning("%s %s is of no use, and is ignored: %s", _VARIABLE, path, error)
            context = httpx.create_ssl_context(trust_env=False)
        if self._path is not None:
            _load(context, self._path)
        return context


def _load(context: ssl.SSLContext, path: str) -> None:
    try:
        # OpenSSL would read a pipe or a device without end, and the file is read twice.
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError("it is not a file")
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"--webhook-ca {path} has no certificates in PEM form.") from error
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        raise ValueError(f"--webhook-ca {path} cannot be read: {why}.") from error
