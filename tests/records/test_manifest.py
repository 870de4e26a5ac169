"""A manifest's digest stands for files and provenance, wherever the tree lies."""

import pytest
from pydantic import ValidationError

from hexad.records import FileEntry, Manifest, Provenance

FILES = [FileEntry(path="model/a.bin", bytes=3, sha256="aa"), FileEntry(path="b.json", bytes=4, sha256="bb")]
MANIFEST = Manifest(
    uri="s3://bucket/tree",
    files=FILES,
    provenance=Provenance(stage="sft", inputs={"data": "dd"}, seed=7),
    metadata={"loss": 0.5},
)


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST
    assert Manifest.from_json(MANIFEST.to_json().encode()).digest == MANIFEST.digest


def test_the_same_tree_elsewhere_has_the_same_digest() -> None:
    assert MANIFEST.model_copy(update={"uri": "file:///elsewhere"}).digest == MANIFEST.digest


@pytest.mark.parametrize(
    "change",
    [
        {"files": [FILES[0], FILES[1].model_copy(update={"sha256": "cc"})]},
        {"files": FILES[:1]},
        {"provenance": MANIFEST.provenance.model_copy(update={"inputs": {"data": "ee"}})},
        {"provenance": MANIFEST.provenance.model_copy(update={"seed": 8})},
        {"provenance": MANIFEST.provenance.model_copy(update={"code": "abc"})},
    ],
    ids=["content", "a file less", "another input", "another seed", "other code"],
)
def test_anything_that_could_change_the_bytes_changes_the_digest(change: dict[str, object]) -> None:
    assert MANIFEST.model_copy(update=change).digest != MANIFEST.digest


def test_a_tree_s_size_is_the_sum_of_its_files() -> None:
    assert MANIFEST.total_bytes == 7


def test_an_unknown_field_is_an_error_and_not_dropped() -> None:
    with pytest.raises(ValidationError, match="sha512"):
        Manifest.from_json(MANIFEST.to_json().replace('"sha256": "aa"', '"sha256": "aa", "sha512": "x"'))
