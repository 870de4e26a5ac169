"""Preflight finds what is missing before a run spends anything, and says the mend."""

import json
from pathlib import Path

import pytest

from hexad.preflight.checks import GIB, free_disk, memory, package, path
from hexad.preflight.job import NotReady, card, main
from hexad.preflight.store import reachable
from hexad.stage.artifact import Settings
from hexad.stage.context import Context
from hexad.stage.progress import ENVIRONMENT
from hexad.storage import open_store


def settings(store: Path, **config: object) -> str:
    context = Context(run="test", store=store.as_uri(), work=str(store))
    values = {"min_free_disk_gib": 0, "min_memory_gib": 0, "packages": [], **config}
    return Settings.model_validate({"config": values, "context": context.model_dump()}).model_dump_json()


def test_a_folder_that_does_not_exist_yet_is_judged_by_its_file_system(tmp_path: Path) -> None:
    assert not free_disk(tmp_path / "a" / "b", 0).mend
    assert "choose another folder" in free_disk(tmp_path / "a", 1e9).mend


def test_memory_below_the_least_is_a_finding() -> None:
    assert not memory(2.0, available_bytes=2 * GIB).mend
    assert memory(2.0, available_bytes=2 * GIB - 1).mend


def test_this_machine_s_memory_can_be_read() -> None:
    assert memory(0.001).mend == ""


def test_a_package_is_looked_up_by_name() -> None:
    assert not package("json").mend
    assert "make setup" in package("no_such_package").mend
    assert "make setup" in package("no_such_package.part").mend


def test_a_path_must_exist(tmp_path: Path) -> None:
    assert not path(str(tmp_path)).mend
    assert path(str(tmp_path / "none")).mend


def test_a_store_that_works_is_left_clean(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    assert not reachable(store, tmp_path.as_uri()).mend
    assert store.list(tmp_path.as_uri()) == []


def test_a_store_that_refuses_is_a_finding_with_its_own_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    finding = reachable(open_store(blocked.as_uri()), blocked.as_uri())
    assert "start the store" in finding.mend


def test_the_card_shows_every_finding(tmp_path: Path) -> None:
    text = card([package("json"), package("no_such_package")])
    assert "| package json | present | ok |" in text
    assert "| package no_such_package | missing | run `make setup`" in text


def test_every_mend_is_in_the_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "progress"))
    with pytest.raises(NotReady, match=r"package nope.*path missing"):
        main(settings(tmp_path, packages=["nope"], paths=["missing"]), str(tmp_path / "card.md"))
    assert json.loads((tmp_path / "progress" / "preflight.error.json").read_bytes())["type"] == "NotReady"
    assert "nope" in (tmp_path / "card.md").read_text()


def test_a_ready_machine_passes(tmp_path: Path) -> None:
    main(settings(tmp_path), str(tmp_path / "card.md"))
    assert "| store" in (tmp_path / "card.md").read_text()
