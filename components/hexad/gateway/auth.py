"""API keys: only their sha256 is configured, compared in constant time, never logged."""

import hashlib
import hmac
from collections.abc import Sequence

from hexad.gateway.errors import ApiError

_CALLER_DIGITS = 12


def check_key(authorization: str | None, hashes: Sequence[str]) -> str | None:
    """Who calls: the first digits of the key's sha256; None where no key is asked for (no hashes: everybody may).

    Raises ApiError 401 unless `authorization` is `Bearer KEY` with a known KEY.
    """
    if not hashes:
        return None
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "no API key; send it as `Authorization: Bearer KEY`", code="invalid_api_key")
    digest = hashlib.sha256(key.strip().encode("utf-8", "surrogateescape")).hexdigest()
    # every hash is compared, so that the time taken does not tell which one matched
    matches = [hmac.compare_digest(digest, known) for known in hashes]
    if not any(matches):
        raise ApiError(401, "this API key is not known here", code="invalid_api_key")
    return digest[:_CALLER_DIGITS]
