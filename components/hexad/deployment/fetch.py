"""Weights from the store to a node's own disk, every byte checked, before anything is served.

    python -m hexad.deployment.fetch --bundle <store URI> --to DIR

Under DIR each bundle has one folder, named by its manifest's digest. A copy grows in `.staging-<digest>` and gets its
name by a rename once every sha256 was right, so a folder without a dot is whole. One process at a time works in DIR;
a second one waits, and finds the copy.

Re-check of a copy that is there: a file whose size and time of change are those noted when its sha256 was computed is
taken as unchanged; any other is hashed again, and fetched again where it differs. Bytes that a disk loses without
touching the file's time are not seen: delete the folder to have them fetched anew.

A process that serves a copy holds `in_use`, a shared flock(2) on `<digest>.in-use`, which is seen across containers of
a node; in a shell, `flock --shared DIR/<digest>.in-use COMMAND`. Copies so held are never removed.
"""

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field, ValidationError

from hexad.deployment.bundle import engine_of, policy_of, read_bundle
from hexad.deployment.pointer import NoBundle, find_bundle
from hexad.deployment.speculation import bundle_problems
from hexad.records import MANIFEST, Manifest, Record
from hexad.storage import (
    BadStoreUri,
    DiskFull,
    StorageError,
    Store,
    TransferProgress,
    fetch_tree,
    open_store,
)  # fmt: skip
from hexad.storage.disk import appearing_whole, clear_disk_errors
from hexad.storage.hashing import file_sha256

_CHECKED, _LOCK, _STAGING, _REMOVED, _IN_USE = ".checked.json", ".lock", ".staging-", ".removed-", ".in-use"


class Checked(Record):
    """`.checked.json` in a copy: each file as it was when its sha256 was found right."""

    files: dict[str, tuple[int, int]] = Field(description="Path to size in bytes and time of change in ns.")


class RefusedBundle(ValueError):
    """A whole copy that must not be served. The message has one problem a line."""


def fetch_bundle(
    store: Store,
    manifest: Manifest,
    to: Path,
    *,
    keep: int = 2,
    progress: TransferProgress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder of a whole copy under `to`. `keep`: copies that stay, this one included, even when unused.

    Interrupted, it goes on from the files and ranges that are there. Raises `StorageError`.
    """
    name = manifest.short
    copy, staging = to / name, to / f"{_STAGING}{name}"
    with clear_disk_errors(to):
        to.mkdir(parents=True, exist_ok=True)
        with _only_one(to / _LOCK, lambda: say(f"{to}: another process fetches into this folder; waiting for it")):
            if copy.is_dir() and not _unchanged(copy, manifest):
                say(f"{copy}: files differ from what was fetched; fetching those again")
                # Renamed away while it is mended: a reader must not find it half right.
                shutil.rmtree(staging, ignore_errors=True)
                copy.replace(staging)
            if not copy.is_dir():
                _check_space(to, staging, manifest)
                fetch_tree(store, manifest, staging, progress)
                (staging / MANIFEST).write_text(manifest.to_json())
                _note(staging, manifest)
                staging.replace(copy)
                _flush(to)
            elif progress:
                progress(manifest.total_bytes, manifest.total_bytes)
            os.utime(copy)
            _remove_old(to, copy, keep)
    return copy


@contextmanager
def in_use(copy: Path) -> Iterator[None]:
    """Keep a copy from being removed, until the end of this process at the latest."""
    with Path(f"{copy}{_IN_USE}").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def check_bundle(copy: Path) -> None:
    """Raise RefusedBundle when engine or gateway would reject the bundle or it speculates without proof."""
    where: tuple[str, ...] = ()
    try:
        bundle = read_bundle(copy)
        where = ("engine",)
        for settings_of in (engine_of, policy_of):
            settings_of(bundle)
        problems = bundle_problems(bundle, copy)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (*where, *first["loc"]))) or "top level"
        problems = [f"bundle.json: {place}: {first['msg']}; run the serve stage again"]
    if problems:
        raise RefusedBundle("\n".join(problems))


@contextmanager
def _only_one(lock: Path, waiting: Callable[[], None]) -> Iterator[None]:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unchanged(copy: Path, manifest: Manifest) -> bool:
    try:
        noted = Checked.model_validate_json((copy / _CHECKED).read_bytes()).files
    except (FileNotFoundError, ValidationError):
        noted = {}
    touched = False
    for entry in manifest.files:
        path = copy / entry.path
        if not path.is_file() or path.stat().st_size != entry.bytes:
            return False
        if noted.get(entry.path) != _stamp(path):
            if file_sha256(path) != entry.sha256:
                return False
            touched = True
    if touched:
        _note(copy, manifest)
    return True


def _note(folder: Path, manifest: Manifest) -> None:
    checked = Checked(files={entry.path: _stamp(folder / entry.path) for entry in manifest.files})
    with appearing_whole(folder / _CHECKED) as partial:
        partial.write_text(checked.model_dump_json())


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _check_space(to: Path, staging: Path, manifest: Manifest) -> None:
    """Say so before an hour of download. Blocks, not sizes: a partial file is as long as the whole but sparse."""
    there = sum(path.stat().st_blocks * 512 for path in staging.rglob("*") if path.is_file())
    missing, free = manifest.total_bytes - there, shutil.disk_usage(to).free
    if missing > free:
        raise DiskFull(
            f"{to}: {missing:,} bytes of {manifest.uri} are missing and {free:,} are free; remove old copies there, or "
            "choose another folder, then run again: it goes on from here"
        )


def _remove_old(to: Path, copy: Path, keep: int) -> None:
    """Remove copies beyond the `keep` that were fetched or found last, except those in use."""
    for left in to.glob(f"{_REMOVED}*"):
        shutil.rmtree(left)
    copies = [path for path in to.glob("[!.]*") if (path / _CHECKED).is_file() and path != copy]
    for old in sorted(copies, key=lambda path: path.stat().st_mtime_ns, reverse=True)[max(0, keep - 1) :]:
        lock = Path(f"{old}{_IN_USE}")
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # The lock's file stays: a new one of the same name would be another lock.
            leaving = to / f"{_REMOVED}{old.name}"
            old.replace(leaving)
        shutil.rmtree(leaving)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the copy is whole, its folder is printed. 1: store or disk failed. 2: no bundle, or one not to be served."""
    parser = argparse.ArgumentParser(prog="hexad.deployment.fetch", description="Fetch a bundle to this machine.")
    parser.add_argument("--bundle", required=True, help="store URI of a bundle, or of bundles/<name> with its pointer")
    parser.add_argument("--to", required=True, type=Path, help="folder for copies, on this node's own disk")
    parser.add_argument("--keep", type=int, default=2, help="copies that stay, this one included (default 2)")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    if options.keep < 1:
        parser.error(f"--keep {options.keep}: at least 1, this copy")
    try:
        store = open_store(options.bundle)
        manifest = find_bundle(store, options.bundle)
        report = _percent(manifest, say)
        copy = fetch_bundle(store, manifest, options.to, keep=options.keep, progress=report, say=say)
        check_bundle(copy)
    except (BadStoreUri, NoBundle, RefusedBundle) as error:
        say(str(error))
        return 2
    except StorageError as error:
        say(str(error))
        return 1
    sys.stdout.write(f"{copy}\n")
    return 0


def _percent(manifest: Manifest, say: Callable[[str], None]) -> TransferProgress:
    """One line for each tenth, as a container's log wants it."""
    told = 0

    def report(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(1, total)
        if tenth > told:
            told = tenth
            say(f"{manifest.uri}: {10 * tenth} % of {total:,} bytes")

    return report


if __name__ == "__main__":
    sys.exit(main())
