"""What both stores promise about single objects."""

from pathlib import Path

import pytest

from hexad.storage import ObjectMissing, Store

Place = tuple[Store, str]


def test_an_object_reads_back_as_written(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/a/b.bin", b"\0bytes")
    assert store.read_bytes(f"{uri}/a/b.bin") == b"\0bytes"
    assert store.size(f"{uri}/a/b.bin") == 6


def test_writing_again_replaces_the_object(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/a", b"old and longer")
    store.write_bytes(f"{uri}/a", b"new")
    assert store.read_bytes(f"{uri}/a") == b"new"


def test_a_missing_object_is_named_in_the_error(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/a", b"")
    for call in (store.read_bytes, store.size, lambda missing: store.download(missing, Path("never"))):
        with pytest.raises(ObjectMissing, match="nowhere"):
            call(f"{uri}/nowhere")


def test_nothing_exists_in_a_store_that_was_never_written(place: Place) -> None:
    store, uri = place
    assert not store.exists(f"{uri}/a")
    assert store.list(uri) == []


def test_exists_is_true_for_objects_and_false_for_folders(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/folder/a", b"")
    assert store.exists(f"{uri}/folder/a")
    assert not store.exists(f"{uri}/folder")


def test_list_gives_full_uris_below_a_folder_and_not_of_its_namesakes(place: Place) -> None:
    store, uri = place
    for name in ("run/b/c", "run/a", "run-2/a"):
        store.write_bytes(f"{uri}/{name}", b"x")
    assert store.list(f"{uri}/run") == [f"{uri}/run/a", f"{uri}/run/b/c"]
    assert all(store.read_bytes(found) == b"x" for found in store.list(uri))


def test_delete_removes_and_may_be_repeated(place: Place) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/a", b"x")
    store.delete(f"{uri}/a")
    store.delete(f"{uri}/a")
    assert not store.exists(f"{uri}/a")


@pytest.mark.parametrize("size", [0, 1, 16 * 2**20, 16 * 2**20 + 1, 40 * 2**20])
def test_files_of_any_number_of_parts_arrive_whole_with_full_progress(place: Place, tmp_path: Path, size: int) -> None:
    store, uri = place
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(bytes(range(251)) * (size // 251) + b"z" * (size % 251))
    up, down = [(0, 0)], [(0, 0)]
    store.upload(source, f"{uri}/file", lambda done, total: up.append((done, total)))
    store.download(f"{uri}/file", back, lambda done, total: down.append((done, total)))
    assert back.read_bytes() == source.read_bytes()
    assert up[-1] == (size, size)
    assert down[-1] in {(size, size), (0, 0)}
    assert sorted(tmp_path.iterdir()) == [back, source]
