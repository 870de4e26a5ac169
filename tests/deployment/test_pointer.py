"""Bundles lie under bundles/<name>/<digest>, and one small object says which is served."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hexad.deployment.pointer import (
    NoBundle,
    bundles_place,
    find_bundle,
    move_pointer,
    point_at,
    publish,
    read_pointer,
)  # fmt: skip
from hexad.storage import CorruptTree
from hexad.storage.local import LocalStore

from .bundles import committed

STORE = LocalStore()
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Bundles 1, 2 and 3 of one name."""
    place = bundles_place(f"file://{tmp_path}/store/", "k")
    for digest in "123":
        committed(tmp_path / digest, f"{place}/{digest}", digest.encode())
    return place


def test_nothing_is_served_before_the_first_move(place: str) -> None:
    assert read_pointer(STORE, place) is None


def test_a_move_remembers_what_came_before_and_who_moved(place: str) -> None:
    move_pointer(STORE, place, "1", "anna")
    moved = move_pointer(STORE, place, "2", "ben", lambda: NOON)
    assert read_pointer(STORE, place) == moved
    assert (moved.digest, moved.previous, moved.who, moved.time) == ("2", "1", "ben", "2026-01-02T12:00:00+00:00")


def test_a_move_to_the_same_bundle_forgets_nothing(place: str) -> None:
    move_pointer(STORE, place, "1", "anna")
    move_pointer(STORE, place, "2", "anna")
    assert move_pointer(STORE, place, "2", "ben").previous == "1"


def test_the_pointer_never_names_what_is_not_committed(place: str) -> None:
    with pytest.raises(NoBundle, match="9: no committed bundle; publish it"):
        move_pointer(STORE, place, "9", "anna")
    assert read_pointer(STORE, place) is None


def test_after_a_failed_roll_out_the_way_back_leads_past_the_failed_bundle(place: str) -> None:
    move_pointer(STORE, place, "1", "anna")
    before = move_pointer(STORE, place, "2", "anna")
    point_at(STORE, place, "3", "anna", before)
    returned = point_at(STORE, place, "2", "anna", before)
    assert (returned.digest, returned.previous, returned.who) == ("2", "1", "anna, automatic roll-back")


def test_a_bundle_is_found_by_its_own_uri_and_by_the_pointer(place: str) -> None:
    move_pointer(STORE, place, "2", "anna")
    assert find_bundle(STORE, f"{place}/1").uri == f"{place}/1"
    assert find_bundle(STORE, f"{place}/").uri == f"{place}/2"


def test_a_pointer_to_a_bundle_that_is_gone_says_so(place: str) -> None:
    move_pointer(STORE, place, "2", "anna")
    STORE.delete(f"{place}/2/manifest.json")
    with pytest.raises(NoBundle, match=r"current\.json: names 2, which is not there"):
        find_bundle(STORE, place)


def test_a_broken_pointer_names_its_place_and_the_mend(place: str) -> None:
    STORE.write_bytes(f"{place}/current.json", b"{")
    with pytest.raises(CorruptTree, match=r"current\.json: not a pointer .* delete it"):
        read_pointer(STORE, place)


def test_what_lies_in_place_is_published_without_a_copy(place: str) -> None:
    assert publish(find_bundle(STORE, f"{place}/1"), STORE, place) == "1"


def test_a_bundle_from_another_store_is_copied_once(place: str, tmp_path: Path) -> None:
    source = find_bundle(STORE, f"{place}/1")
    elsewhere = bundles_place(f"file://{tmp_path}/elsewhere", "k")
    digest = publish(source, STORE, elsewhere)
    assert digest == source.short
    assert find_bundle(STORE, f"{elsewhere}/{digest}").files == source.files
    STORE.delete(f"{place}/1/bundle.json")
    assert publish(source, STORE, elsewhere) == digest
