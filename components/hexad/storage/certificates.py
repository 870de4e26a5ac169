"""Whose certificates an S3 store may show: the public authorities, and one of the company's own."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import certifi

from hexad.storage.errors import BadStoreUri

AUTHORITY = "HEXAD_S3_CA"
"""Environment variable: certificates in PEM form, as a secret holds them, or the path of a file of them."""

_PEM = "-----BEGIN"


def own_authority(environment: Mapping[str, str]) -> str:
    """Certificates in PEM form, empty for none. Raises `BadStoreUri` for a file that cannot be read."""
    given = environment.get(AUTHORITY, "").strip()
    if not given or given.startswith(_PEM):
        return given
    try:
        return Path(given).read_text()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not text"
        raise BadStoreUri(
            f"{AUTHORITY}={given!r}: {cause}; give a file of certificates in PEM form, or their text"
        ) from error


def trusted(own: str) -> ssl.SSLContext:
    """A context for clients that trusts the public authorities and `own`, certificates in PEM form.

    Raises `BadStoreUri` when `own` holds no certificate.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if own:
        try:
            context.load_verify_locations(cadata=own)
        except (ssl.SSLError, ValueError) as error:  # ValueError: other than ASCII
            raise BadStoreUri(f"{AUTHORITY}: holds no certificate in PEM form ({error}); export it again") from error
    return context
