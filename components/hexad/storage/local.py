"""A store in a folder of this machine, or of a shared file system."""

import shutil
from pathlib import Path

from hexad.storage.disk import PARTIAL, appearing_whole, clear_disk_errors
from hexad.storage.errors import BadStoreUri
from hexad.storage.hashing import file_sha256
from hexad.storage.store import TransferProgress

SCHEME = "file://"


class LocalStore:
    """`Store` over file:///path URIs."""

    def read_bytes(self, uri: str) -> bytes:
        with clear_disk_errors(uri):
            return local_path(uri).read_bytes()

    def read_range(self, uri: str, offset: int, length: int) -> bytes:
        with clear_disk_errors(uri), local_path(uri).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def write_bytes(self, uri: str, data: bytes) -> None:
        with clear_disk_errors(uri), appearing_whole(local_path(uri)) as partial:
            partial.write_bytes(data)

    def exists(self, uri: str) -> bool:
        with clear_disk_errors(uri):
            return local_path(uri).is_file()

    def list(self, uri_prefix: str) -> list[str]:
        with clear_disk_errors(uri_prefix):
            files = (p for p in local_path(uri_prefix).rglob("*") if p.is_file() and not p.name.startswith(PARTIAL))
            return sorted(f"{SCHEME}{path}" for path in files)

    def size(self, uri: str) -> int:
        with clear_disk_errors(uri):
            return local_path(uri).stat().st_size

    def download(self, uri: str, path: Path, progress: TransferProgress | None = None) -> None:
        # A copy, not a hard link: a stage that edits its input in place must not reach into the committed tree.
        source = local_path(uri)
        with clear_disk_errors(uri):
            size = source.stat().st_size
        with clear_disk_errors(path), appearing_whole(path) as partial:
            shutil.copyfile(source, partial)
        if progress:
            progress(size, size)

    def upload(self, path: Path, uri: str, progress: TransferProgress | None = None, sha256: str | None = None) -> None:
        target = local_path(uri)
        with clear_disk_errors(path):
            size = path.stat().st_size
        with clear_disk_errors(uri):
            same_size = target.is_file() and target.stat().st_size == size
            if not (same_size and file_sha256(target) == (sha256 or file_sha256(path))):
                with appearing_whole(target) as partial:
                    shutil.copyfile(path, partial)
        if progress:
            progress(size, size)

    def delete(self, uri: str) -> None:
        with clear_disk_errors(uri):
            local_path(uri).unlink(missing_ok=True)


def local_path(uri: str) -> Path:
    """The path of a file:// URI. Raises `BadStoreUri` for another scheme or a relative path."""
    if not uri.startswith(f"{SCHEME}/"):
        raise BadStoreUri(f"{uri!r}: not an absolute file URI; write file:///folder/name")
    return Path(uri.removeprefix(SCHEME))
