"""The interface of an object store."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

TransferProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in total), from any thread, never twice at once for one transfer."""


class Store(Protocol):
    """Objects under full URIs, e.g. s3://bucket/a/b or file:///dir/a/b. Names are not percent-encoded.

    All methods raise `StorageError`. An object appears whole or not at all.
    """

    def read_bytes(self, uri: str) -> bytes:
        """The whole object. Raises `ObjectMissing`."""

    def read_range(self, uri: str, offset: int, length: int) -> bytes:
        """So many bytes of the object, all of which must lie in it. Raises `ObjectMissing`."""

    def write_bytes(self, uri: str, data: bytes) -> None:
        """Write or replace the object."""

    def exists(self, uri: str) -> bool:
        """Whether there is an object, not a folder, under this URI."""

    def list(self, uri_prefix: str) -> list[str]:
        """URIs of all objects below the folder `uri_prefix`, at any depth, sorted."""

    def size(self, uri: str) -> int:
        """Bytes. Raises `ObjectMissing`."""

    def download(self, uri: str, path: Path, progress: TransferProgress | None = None) -> None:
        """Copy the object to `path`, which appears only when it is whole. Resumes where a broken one stopped."""

    def upload(self, path: Path, uri: str, progress: TransferProgress | None = None, sha256: str | None = None) -> None:
        """Copy the file to `uri`; do nothing when the object there has its size and its sha256 already."""

    def delete(self, uri: str) -> None:
        """Remove the object; no error when there is none."""
