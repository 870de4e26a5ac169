"""An object as a file: any reads and seeks give what a file on disk gives, and cost a request a buffer."""

import io
from random import Random

import pytest

from hexad.storage import ObjectMissing, Store, open_ranged

DATA = Random(0).randbytes(10_000)
Place = tuple[Store, str]


@pytest.mark.parametrize("buffer", [16, 100, 1 << 20])
def test_reads_and_seeks_give_what_a_file_gives(buffer: int, place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/data", DATA)
    rng = Random(1)
    with open_ranged(store, f"{uri}/data", buffer) as found, io.BytesIO(DATA) as wanted:
        for _ in range(60):
            whence = rng.choice([io.SEEK_SET, io.SEEK_END])
            offset = rng.randrange(12_000) if whence == io.SEEK_SET else -rng.randrange(10_000)
            assert found.seek(offset, whence) == wanted.seek(offset, whence)
            count = rng.choice([0, 1, 15, 400, -1])
            assert found.read(count) == wanted.read(count)
            assert found.readline(50) == wanted.readline(50)
            assert found.tell() == wanted.tell()


def test_an_object_that_is_not_there_is_told_when_it_is_opened(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/data", DATA)
    with pytest.raises(ObjectMissing):
        open_ranged(store, f"{uri}/other")
