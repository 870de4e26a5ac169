"""Download one object in parts, in parallel, and go on where a broken download stopped."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from hexad.records import Record
from hexad.storage.disk import PARTIAL, publish
from hexad.storage.parallel import map_threads
from hexad.storage.s3_errors import retried
from hexad.storage.store import TransferProgress

ReadRange = Callable[[int, int], BaseHTTPResponse]
"""(offset, length in bytes) to an open response with just these bytes."""


class PartState(Record):
    """Beside a partial file: which parts of which object it holds."""

    size: int
    etag: str
    part_bytes: int
    done: list[int]


def download_parts(
    read_range: ReadRange,
    size: int,
    etag: str,
    path: Path,
    part_bytes: int,
    *,
    threads: int,
    progress: TransferProgress | None = None,
) -> None:
    """Fetch `size` bytes to `path`. The partial file and its state lie beside it until it is whole.

    A partial file is taken up again only for the same size, etag and part size. After a power cut the state may
    claim a part that never reached the disk: whoever needs certainty checks the sha256, as `fetch_tree` does.
    Raises urllib3's HTTPError when a part stays broken after all tries, and OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = f"{PARTIAL}{hashlib.sha256(path.name.encode()).hexdigest()[:16]}"
    partial, state_path = path.parent / f"{stem}.part", path.parent / f"{stem}.json"
    done = _resumable(partial, state_path, PartState(size=size, etag=etag, part_bytes=part_bytes, done=[]))
    lock = threading.Lock()
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, 0o644)

    def fetch(part: int) -> None:
        offset = part * part_bytes
        _read_part(read_range, descriptor, offset, min(part_bytes, size - offset))
        with lock:
            done.add(part)
            _save(state_path, PartState(size=size, etag=etag, part_bytes=part_bytes, done=sorted(done)))
            if progress:
                progress(min(size, sum(min(part_bytes, size - p * part_bytes) for p in done)), size)

    try:
        os.ftruncate(descriptor, size)
        parts = -(-size // part_bytes)
        map_threads(fetch, [part for part in range(parts) if part not in done], threads)
    finally:
        os.close(descriptor)
    publish(partial, path)
    state_path.unlink(missing_ok=True)


def _read_part(read_range: ReadRange, descriptor: int, offset: int, length: int) -> None:
    """Write one range into the file; a reply that breaks off in the middle is asked for again from that byte."""
    at = 0

    def read_rest() -> None:
        nonlocal at
        response = read_range(offset + at, length - at)
        try:
            for piece in response.stream(1 << 20):
                at += os.pwrite(descriptor, piece, offset + at)
        finally:
            response.close()
            response.release_conn()
        if at < length:
            raise HTTPError(f"reply ended after {at} of {length} bytes")

    retried(read_rest)


def _resumable(partial: Path, state_path: Path, wanted: PartState) -> set[int]:
    try:
        state = PartState.model_validate_json(state_path.read_bytes())
        same = partial.stat().st_size == wanted.size and state.model_copy(update={"done": []}) == wanted
    except (FileNotFoundError, ValidationError):
        same = False
    if same:
        return set(state.done)
    state_path.unlink(missing_ok=True)
    partial.unlink(missing_ok=True)
    return set()


def _save(path: Path, state: PartState) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state.model_dump()))
    new.replace(path)
