"""The store, as whoever will use it: can be written, read and emptied again, and keeps the time."""

import os
from datetime import UTC, datetime

from hexad.preflight.checks import Finding
from hexad.preflight.clock import clock, skew_s
from hexad.storage import StorageError, Store, open_store
from hexad.storage.certificates import own_authority, trusted

_SECONDS = 5


def store_works(uri: str) -> Finding:
    """Open it with the settings of this process's environment, and try it."""
    try:
        store = open_store(uri)
    except StorageError as error:
        return _refused(uri, error)
    return reachable(store, uri)


def reachable(store: Store, uri: str) -> Finding:
    """Write, read and delete one small object."""
    probe = f"{uri.rstrip('/')}/preflight/probe-{os.getpid()}"
    try:
        store.write_bytes(probe, b"hexad")
        same = store.read_bytes(probe) == b"hexad"
        store.delete(probe)
    except StorageError as error:
        return _refused(uri, error)
    mend = "" if same else "the store returned other bytes than were written; use another"
    return Finding(check=f"store {uri}", found="writes, reads and deletes" if same else "corrupts", mend=mend)


def store_clock(endpoint: str) -> Finding:
    """The clock of the server behind HEXAD_S3_ENDPOINT. Any answer will do, also that it wants keys."""
    import urllib3  # here, since local runs do not ask

    try:
        with urllib3.PoolManager(ssl_context=trusted(own_authority(os.environ))) as http:
            headers = http.request("HEAD", endpoint, retries=False, redirect=False, timeout=_SECONDS).headers
    except urllib3.exceptions.HTTPError as error:
        return Finding(check="clock of the store", found=f"no answer ({type(error).__name__})", judged=False)
    return clock("the store", skew_s(headers, datetime.now(UTC)))


def _refused(uri: str, error: StorageError) -> Finding:
    return Finding(check=f"store {uri}", found=str(error), mend="start the store or correct its address and keys")
