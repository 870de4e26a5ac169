"""Trees: folders of files that exist once their manifest is written (DESIGN §4)."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from pydantic import JsonValue, ValidationError

from hexad.records import MANIFEST, FileEntry, Manifest, Provenance
from hexad.storage.disk import PARTIAL, clear_disk_errors, publish
from hexad.storage.errors import CorruptTree, FileTooLarge, ObjectMissing, StorageError, TreeExists
from hexad.storage.hashing import file_sha256
from hexad.storage.parallel import map_threads
from hexad.storage.store import Store, TransferProgress

MAX_FILE_BYTES = 5_000_000_000
FILE_THREADS = 4


def commit_tree(
    store: Store,
    folder: Path,
    uri: str | Callable[[Manifest], str],
    provenance: Provenance,
    metadata: Mapping[str, JsonValue],
    *,
    progress: TransferProgress | None = None,
) -> Manifest:
    """Upload every file of `folder`, then the manifest that makes the tree exist. Empty folders are not kept.

    `uri` may be computed from the manifest, whose own uri is empty then, to name a tree by its digest.

    Run again after a break it skips what is there already. Raises `TreeExists` when another tree is committed at
    `uri` (an equal one is simply returned) and `FileTooLarge` before anything is sent.
    """
    paths = _files(folder)
    with clear_disk_errors(folder):
        files = map_threads(lambda path: _entry(folder, path), paths, FILE_THREADS)
    manifest = Manifest(uri="", files=files, provenance=provenance, metadata=dict(metadata))
    uri = (uri if isinstance(uri, str) else uri(manifest)).rstrip("/")
    manifest = manifest.model_copy(update={"uri": uri})
    committed = read_manifest(store, uri)
    if committed is not None:
        if committed.digest == manifest.digest:
            return committed
        raise TreeExists(f"{uri}: holds tree {committed.digest[:16]}, not {manifest.digest[:16]}; commit to a new URI")
    tally = _Tally(manifest.total_bytes, progress)
    map_threads(
        lambda entry: store.upload(folder / entry.path, f"{uri}/{entry.path}", tally.of(entry), entry.sha256),
        files,
        FILE_THREADS,
    )
    store.write_bytes(f"{uri}/{MANIFEST}", manifest.to_json().encode())
    return manifest


def read_manifest(store: Store, uri: str) -> Manifest | None:
    """The manifest of the tree at `uri`; None when there is none, and so no tree. Raises `CorruptTree`.

    Its `uri` is the place where it was found, so a store may be moved as a whole.
    """
    uri = uri.rstrip("/")
    try:
        text = store.read_bytes(f"{uri}/{MANIFEST}")
    except ObjectMissing:
        return None
    try:
        return Manifest.from_json(text).model_copy(update={"uri": uri})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "top level"
        raise CorruptTree(
            f"{uri}/{MANIFEST}: not a manifest ({where}: {first['msg']}); delete it, or run the stage again with --from"
        ) from error


def fetch_tree(store: Store, manifest: Manifest, into: Path, progress: TransferProgress | None = None) -> Path:
    """Bring the tree's files into the folder `into` and return it. Files that are there and right stay.

    A file gets its name only after its bytes and sha256 were checked. Raises `CorruptTree` when they are not what
    the manifest says, or when a path would leave the folder.
    """
    for entry in manifest.files:
        if not _stays_inside(entry.path):
            raise CorruptTree(f"{manifest.uri}: path {entry.path!r} leaves the tree; do not use this tree")
    tally = _Tally(manifest.total_bytes, progress)
    with clear_disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
        map_threads(lambda entry: _fetch(store, manifest, entry, into, tally), manifest.files, FILE_THREADS)
    return into


def _fetch(store: Store, tree: Manifest, entry: FileEntry, into: Path, tally: "_Tally") -> None:
    target = into / entry.path
    report = tally.of(entry)
    if not _matches(target, entry):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named after the path, so that a second run finds it; beside the target, so that the rename is atomic.
        unchecked = target.parent / f"{PARTIAL}{hashlib.sha256(entry.path.encode()).hexdigest()[:16]}.unchecked"
        uri = f"{tree.uri}/{entry.path}"
        try:
            store.download(uri, unchecked, report)
        except ObjectMissing as error:
            raise CorruptTree(f"{uri}: in the manifest but not in the store; {_mend(tree)}") from error
        found = file_sha256(unchecked)
        if found != entry.sha256:
            size = unchecked.stat().st_size
            unchecked.unlink()
            raise CorruptTree(
                f"{uri}: expected sha256 {entry.sha256} ({entry.bytes} bytes), found {found} ({size} bytes); "
                f"{_mend(tree)}"
            )
        publish(unchecked, target)
    report(entry.bytes, entry.bytes)


def _mend(tree: Manifest) -> str:
    """What makes another tree in the place of a broken one.

    Not "delete the manifest": a cache of KFP's would still hand this one on, and a store that holds a broken object
    under the sha256 of the sound one would not take the sound one again.
    """
    stage = tree.provenance.stage
    if stage == "put":
        return "put the folder again, at another URI"
    return f"run the stage again ({stage}): hexad run, or hexad retry, with --from"


def _matches(path: Path, entry: FileEntry) -> bool:
    return path.is_file() and path.stat().st_size == entry.bytes and file_sha256(path) == entry.sha256


def _files(folder: Path) -> list[Path]:
    """Files of a folder, sorted; refuses what a tree cannot hold rather than leave it out."""
    if not folder.is_dir():
        raise StorageError(f"{folder}: not a folder; a tree is made of a folder's files")
    found = []
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(PARTIAL):
            continue
        if path.is_file():
            found.append(path)
        elif path.is_symlink() or not path.is_dir():
            raise StorageError(f"{path}: not a regular file; a tree holds files only, so copy what it points to")
    if (folder / MANIFEST).exists():
        raise StorageError(f"{folder / MANIFEST}: this name is kept for the tree's own manifest; rename it")
    for path in found:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FileTooLarge(
                f"{path}: {path.stat().st_size:,} bytes, more than {MAX_FILE_BYTES:,} in one object; write it in shards"
            )
    return found


def _entry(folder: Path, path: Path) -> FileEntry:
    return FileEntry(path=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=file_sha256(path))


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts


class _Tally:
    """Sums the transfers of many files, running at once, into one progress."""

    def __init__(self, total: int, progress: TransferProgress | None) -> None:
        self._total, self._progress = total, progress
        self._done: dict[str, int] = {}
        self._sum = 0
        self._lock = threading.Lock()

    def of(self, entry: FileEntry) -> TransferProgress:
        def report(done: int, _total: int) -> None:
            with self._lock:
                self._sum += done - self._done.get(entry.path, 0)
                self._done[entry.path] = done
                if self._progress:
                    self._progress(self._sum, self._total)

        return report
