"""Errors of the local file system in the words of `hexad.storage.errors`, and files that appear whole."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hexad.storage.errors import AccessRefused, DiskFull, ObjectMissing, StorageError

PARTIAL = ".hexad-partial-"
"""Files whose name starts with this are unfinished transfers; they are never listed."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def clear_disk_errors(place: str | Path) -> Iterator[None]:
    """Turn an OSError into one `StorageError` about `place`."""
    try:
        yield
    except OSError as error:
        raise disk_error(place, error) from error


def disk_error(place: str | Path, error: OSError) -> StorageError:
    """What this OSError means for the person who has to mend it."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return DiskFull(f"{place}: {reason}; free space or choose another folder, then run again: it goes on from here")
    if isinstance(error, FileNotFoundError):
        return ObjectMissing(f"{place}: no such object")
    if isinstance(error, PermissionError):
        return AccessRefused(f"{place}: {reason}; give this user the right to it, or choose another folder")
    return StorageError(f"{place}: {reason}")


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """Give a partial file to write; on success flush it to disk and rename it to `path`, on an error remove it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f"{PARTIAL}{secrets.token_hex(8)}.part"
    try:
        yield partial
        publish(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def publish(partial: Path, path: Path) -> None:
    """Flush `partial` to disk, then rename it: after a power cut `path` is the old file or the whole new one."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
