"""Read an object as a file, piece by piece: for data of which only a part is wanted, or more than fits a disk."""

import io
from typing import TYPE_CHECKING, BinaryIO

from hexad.storage.store import Store

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 8 << 20  # bytes of one request: large enough for its round trip not to count


def open_ranged(store: Store, uri: str, buffer: int = BUFFER) -> BinaryIO:
    """The object, for reading and seeking. Bytes are asked for as they are read, `buffer` at a time.

    Raises `ObjectMissing`; reading raises `StorageError`.
    """
    return io.BufferedReader(_Ranges(store, uri), buffer)


class _Ranges(io.RawIOBase):
    def __init__(self, store: Store, uri: str) -> None:
        self._store, self._uri, self._at = store, uri, 0
        self._size = store.size(uri)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._size - self._at)
        if length <= 0:
            return 0
        data = self._store.read_range(self._uri, self._at, length)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
