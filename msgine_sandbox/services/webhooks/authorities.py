"""The certificate authorities by which receivers over HTTPS may be certified."""

import os
import ssl

_VARIABLE = "SSL_CERT_FILE"
"""Names a file in place of the usual authorities, for OpenSSL and for most programs."""


class Authorities:
    """The usual authorities, or those of SSL_CERT_FILE; besides, those of a PEM file."""

    def __init__(self, path: str | None) -> None:
        """Check the files, so that the sandbox does not start with one that is of no use.

        Raises:
            ValueError: a file cannot be read, or has no certificate; in one sentence.
        """
        self._path = path
        for name, each in (("--webhook-ca", path), (_VARIABLE, os.environ.get(_VARIABLE) or None)):
            if each is not None:
                _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), name, each)

    def context(self) -> ssl.SSLContext:
        """Return what a client needs to verify a receiver's certificate."""
        import httpx  # here, because importing it takes longer than the first response

        context = httpx.create_ssl_context()  # reads SSL_CERT_FILE
        if self._path is not None:
            _load(context, "--webhook-ca", self._path)
        return context


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"{name} {path} has no certificates in PEM form.") from error
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        raise ValueError(f"{name} {path} cannot be read: {why}.") from error
