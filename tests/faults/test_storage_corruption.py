"""A wrong byte in the store, or in a manifest, is found before anybody reads it."""

from pathlib import Path

import pytest

from hexad.records import MANIFEST, Manifest, Provenance
from hexad.storage import CorruptTree, Store, commit_tree, fetch_tree, read_manifest

Place = tuple[Store, str]


def commit(store: Store, uri: str, folder: Path) -> Manifest:
    folder.mkdir()
    (folder / "good").write_bytes(b"good")
    (folder / "model").write_bytes(b"weights")
    return commit_tree(store, folder, uri, Provenance(stage="sft"), {})


@pytest.mark.parametrize("found", [b"weightz", b"weight", b""], ids=["one byte", "truncated", "emptied"])
def test_a_corrupted_object_is_named_with_both_hashes_and_never_gets_its_name(
    place: Place, tmp_path: Path, found: bytes
) -> None:
    store, uri = place
    manifest = commit(store, uri, tmp_path / "out")
    store.write_bytes(f"{uri}/model", found)
    with pytest.raises(CorruptTree) as error:
        fetch_tree(store, manifest, tmp_path / "in")
    expected = next(f.sha256 for f in manifest.files if f.path == "model")
    text = str(error.value)
    assert f"{uri}/model: expected sha256 {expected} (7 bytes), found" in text
    assert text.endswith("run the stage again (sft): hexad run, or hexad retry, with --from") and "\n" not in text
    assert {p.name for p in (tmp_path / "in").iterdir()} <= {"good"}


def test_a_mended_object_is_fetched_after_the_corrupted_one(place: Place, tmp_path: Path) -> None:
    store, uri = place
    manifest = commit(store, uri, tmp_path / "out")
    store.write_bytes(f"{uri}/model", b"weightz")
    with pytest.raises(CorruptTree):
        fetch_tree(store, manifest, tmp_path / "in")
    store.write_bytes(f"{uri}/model", b"weights")
    assert (fetch_tree(store, manifest, tmp_path / "in") / "model").read_bytes() == b"weights"


def test_a_lost_object_is_named(place: Place, tmp_path: Path) -> None:
    store, uri = place
    manifest = commit(store, uri, tmp_path / "out")
    store.delete(f"{uri}/model")
    with pytest.raises(CorruptTree, match=rf"{uri}/model: in the manifest but not in the store; .*\(sft\).* --from"):
        fetch_tree(store, manifest, tmp_path / "in")


def test_of_a_folder_that_was_put_the_mend_is_to_put_it_again(place: Place, tmp_path: Path) -> None:
    store, uri = place
    (tmp_path / "model").write_bytes(b"weights")
    manifest = commit_tree(store, tmp_path, uri, Provenance(stage="put"), {})
    store.delete(f"{uri}/model")
    with pytest.raises(CorruptTree, match="put the folder again, at another URI"):
        fetch_tree(store, manifest, tmp_path / "in")


@pytest.mark.parametrize("text", [b"", b"{", b'{"files": []}', b"\xff\xfe", b"[]"])
def test_an_unreadable_manifest_is_corruption_and_not_absence(place: Place, text: bytes) -> None:
    store, uri = place
    store.write_bytes(f"{uri}/{MANIFEST}", text)
    with pytest.raises(CorruptTree, match=f"{uri}/{MANIFEST}: not a manifest") as error:
        read_manifest(store, uri)
    assert "\n" not in str(error.value)
