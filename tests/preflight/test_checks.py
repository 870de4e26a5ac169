"""Preflight finds what is missing before a run spends anything, and says the mend."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hexad.preflight.checks import GIB, free_disk, memory, package, path, writable
from hexad.preflight.cluster.needs import ClusterNeeds
from hexad.preflight.config import PreflightConfig
from hexad.preflight.job import NotReady, card, main, run
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


@contextmanager
def a_volume_of_somebody_else() -> Iterator[Path]:
    """What a new volume is for a pod's user: a folder that others may only read."""
    root = os.geteuid() == 0
    # Not pytest's own folder, which other users cannot even look into.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755 if root else 0o555)
        if root:
            os.seteuid(65532)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_scratch_that_this_user_cannot_write_is_a_finding_with_both_identities() -> None:
    with a_volume_of_somebody_else() as volume:
        finding = writable(volume / "recipe")
    assert f"{volume}: Permission denied: it is user 0's" in finding.found or os.geteuid()
    assert f"this is user {65532 if os.geteuid() == 0 else os.geteuid()} in group" in finding.found
    assert "fsGroup" in finding.mend


def test_scratch_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert writable(tmp_path / "a" / "b").result == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_run_does_not_start_where_its_stages_could_keep_nothing() -> None:
    with a_volume_of_somebody_else() as volume, tempfile.TemporaryDirectory(dir="/tmp") as made:
        work = Settings.model_validate_json(settings(Path(made))).context.model_copy(update={"work": str(volume)})
        findings = run(PreflightConfig(min_free_disk_gib=0, min_memory_gib=0, packages=[]), work)
    assert [finding.check for finding in findings if finding.mend] == [f"writing in {volume}"]


def test_memory_below_the_least_is_a_finding() -> None:
    assert not memory(2.0, available_bytes=2 * GIB).mend
    assert memory(2.0, available_bytes=2 * GIB - 1).mend


@pytest.mark.parametrize(
    ("cluster", "judged"), [(None, True), (ClusterNeeds(profile="kind"), False)], ids=["machine", "pod"]
)
def test_memory_is_judged_where_the_stages_run_and_not_by_preflight_s_own_small_pod(
    cluster: ClusterNeeds | None, judged: bool, tmp_path: Path
) -> None:
    config = PreflightConfig(min_free_disk_gib=0, min_memory_gib=1e9, packages=[], cluster=cluster)
    found = run(config, Context(run="test", store=tmp_path.as_uri(), work=str(tmp_path)))
    assert [finding.check for finding in found if finding.mend] == (["memory"] if judged else [])


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
