"""Where bundles of one name lie, and which of them is served: `<store>/bundles/<name>/<digest>/` and `current.json`."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from hexad.deployment.bundle import BUNDLE
from hexad.records import MANIFEST, Manifest, Record
from hexad.storage import CorruptTree, ObjectMissing, Store, commit_tree, fetch_tree, open_store, read_manifest

CURRENT = "current.json"


class Pointer(Record):
    """`current.json`. The only object beside the bundles that changes, and the last to be written."""

    digest: str = Field(description="Folder of the bundle that is served.")
    previous: str | None = Field(description="Folder of the one before it, to which a roll-back returns.")
    time: str = Field(description="When it was written, ISO 8601 in UTC.")
    who: str = Field(description="Who or what wrote it, for people.")


class NoBundle(ValueError):
    """There is no bundle under the URI. The message says what would be one."""


def bundles_place(store: str, name: str) -> str:
    """The folder of all bundles called `name`."""
    return f"{store.rstrip('/')}/bundles/{name}"


def read_pointer(store: Store, place: str) -> Pointer | None:
    """The pointer in `place`; None where nothing is served yet. Raises CorruptTree for one that cannot be read."""
    uri = f"{place.rstrip('/')}/{CURRENT}"
    try:
        return Pointer.model_validate_json(store.read_bytes(uri))
    except ObjectMissing:
        return None
    except ValidationError as error:
        mend = "delete it and roll the wanted bundle out again"
        raise CorruptTree(f"{uri}: not a pointer ({error.errors()[0]['msg']}); {mend}") from error


def move_pointer(store: Store, place: str, digest: str, who: str, now: Callable[[], datetime] | None = None) -> Pointer:
    """Make `digest` the bundle that is served. The one before it becomes `previous`; moving to itself changes nothing.

    Last writer wins: S3 has no lock, so one place is rolled out by one caller at a time.
    """
    place = place.rstrip("/")
    old = read_pointer(store, place)
    if old is not None and old.digest == digest:
        return old
    if not store.exists(f"{place}/{digest}/{MANIFEST}"):
        raise NoBundle(f"{place}/{digest}: no committed bundle; publish it before the pointer is moved")
    return _write(store, place, digest, old.digest if old else None, who, now)


def point_at(store: Store, place: str, digest: str, who: str, before: Pointer | None) -> Pointer:
    """`move_pointer` in a roll-out that found the pointer as `before`: moving back there undoes the first move.

    What came before `before` is the previous bundle again, so that a roll-back by hand does not lead to the failed one.
    """
    if before is not None and digest == before.digest:
        return _write(store, place.rstrip("/"), digest, before.previous, f"{who}, automatic roll-back", None)
    return move_pointer(store, place, digest, who)


def _write(
    store: Store, place: str, digest: str, previous: str | None, who: str, now: Callable[[], datetime] | None
) -> Pointer:
    moment = (now or (lambda: datetime.now(UTC)))().isoformat(timespec="seconds")
    pointer = Pointer(digest=digest, previous=previous, time=moment, who=who)
    store.write_bytes(f"{place}/{CURRENT}", pointer.model_dump_json(indent=1).encode())
    return pointer


def find_bundle(store: Store, uri: str) -> Manifest:
    """The manifest of a bundle's own URI, or of the one that the pointer under `uri` names. Raises NoBundle."""
    uri = uri.rstrip("/")
    found = read_manifest(store, uri)
    if found is None:
        pointer = read_pointer(store, uri)
        if pointer is None:
            raise NoBundle(
                f"{uri}: no committed bundle and no {CURRENT} there; give the URI of the serve stage in the run's "
                "summary.json, or <store>/bundles/<name>"
            )
        found = read_manifest(store, f"{uri}/{pointer.digest}")
        if found is None:
            raise NoBundle(f"{uri}/{CURRENT}: names {pointer.digest}, which is not there; roll another bundle out")
    if not any(file.path == BUNDLE for file in found.files):
        raise NoBundle(f"{found.uri}: a tree of stage {found.provenance.stage!r} without {BUNDLE}; give one of serve")
    return found


def publish(source: Manifest, store: Store, place: str) -> str:
    """Bring a bundle under `place`, unless it is there, and return its digest there. The pointer is not moved.

    The serve stage of a run with this store has put it there already; from another store it is copied through this
    machine's disk (below TMPDIR), with every sha256 checked on the way.
    """
    place = place.rstrip("/")
    if source.uri.rpartition("/")[0] == place:
        return source.uri.rpartition("/")[2]
    digest = source.short
    target = f"{place}/{digest}"
    if read_manifest(store, target) is None:
        with tempfile.TemporaryDirectory(prefix="hexad-publish-") as folder:
            fetch_tree(open_store(source.uri), source, Path(folder))
            commit_tree(store, Path(folder), target, source.provenance, source.metadata)
    return digest
