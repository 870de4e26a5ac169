"""A stage runs once for its config, inputs, seed, code and attempt; a tree exists whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from hexad.records import MANIFEST, Record
from hexad.stage import Context, Product, StageResult, Workspace, execute
from hexad.storage import fetch_tree, open_store, read_manifest


class Config(Record):
    size: int = 3


class Body:
    """A stage's body that writes one file, and counts its runs."""

    def __init__(self, content: str = "weights") -> None:
        self.runs = 0
        self._content = content

    def __call__(self, space: Workspace) -> Product:
        self.runs += 1
        (space.out / "model.bin").write_text(self._content)
        return Product({"loss": 0.5}, "# Card", {"steps": 7})


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(run="test", store=(tmp_path / "store").as_uri(), work=str(tmp_path / "work"), code="c1")


def artifact(folder: Path, result: StageResult) -> Path:
    """What KFP hands to the next box: a folder with the manifest alone."""
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(result.manifest.to_json())
    return folder


def test_a_stage_leaves_a_committed_tree_with_its_figures_and_card(context: Context, tmp_path: Path) -> None:
    result = execute("sft", Config(), context, {}, Body())
    tree = fetch_tree(open_store(context.store), result.manifest, tmp_path / "fetched")
    assert sorted(path.name for path in tree.iterdir()) == ["card.md", "metrics.json", "model.bin"]
    assert (result.metrics, result.card, result.cached) == ({"loss": 0.5}, "# Card", False)
    assert result.manifest.metadata["steps"] == 7
    assert result.manifest.metadata["seconds"] >= 0
    assert (result.manifest.provenance.stage, result.manifest.provenance.code) == ("sft", "c1")


def test_the_same_again_is_read_and_not_run(context: Context) -> None:
    body = Body()
    first, second = (execute("sft", Config(), context, {}, body) for _ in range(2))
    assert body.runs == 1
    assert (second.cached, second.metrics, second.card) == (True, first.metrics, first.card)
    assert second.manifest == first.manifest


@pytest.mark.parametrize("change", [{"seed": 1}, {"code": "c2"}, {"attempt": 1}])
def test_a_change_of_what_the_bytes_depend_on_runs_again(context: Context, change: dict[str, object]) -> None:
    body = Body()
    first = execute("sft", Config(), context, {}, body)
    second = execute("sft", Config(), context.model_copy(update=change), {}, body)
    assert body.runs == 2
    assert second.manifest.uri != first.manifest.uri


@pytest.mark.parametrize("change", [{"git": "abc"}, {"image": "x:1"}, {"run": "other"}, {"work": ""}])
def test_a_change_of_what_they_do_not_depend_on_does_not(context: Context, change: dict[str, object]) -> None:
    body = Body()
    execute("sft", Config(), context, {}, body)
    assert execute("sft", Config(), context.model_copy(update=change), {}, body).cached


def test_of_two_runs_that_compute_the_same_stage_at_once_both_get_the_tree_that_was_committed_first(
    context: Context, tmp_path: Path
) -> None:
    """Training is not reproducible to the bit, so the slower one has other bytes for the same place."""
    elsewhere = context.model_copy(update={"work": str(tmp_path / "another machine")})
    first: list[StageResult] = []

    def slower(space: Workspace) -> Product:
        first.append(execute("sft", Config(), elsewhere, {}, Body("faster")))
        return Body("slower")(space)

    second = execute("sft", Config(), context, {}, slower)
    assert second.manifest == first[0].manifest
    assert second.cached
    tree = fetch_tree(open_store(context.store), second.manifest, tmp_path / "fetched")
    assert (tree / "model.bin").read_text() == "faster"


def test_another_config_runs_again(context: Context) -> None:
    body = Body()
    execute("sft", Config(), context, {}, body)
    assert not execute("sft", Config(size=4), context, {}, body).cached


def test_another_stage_with_the_same_config_runs_on_its_own(context: Context) -> None:
    body = Body()
    execute("sft", Config(), context, {}, body)
    assert not execute("rlvr", Config(), context, {}, body).cached


def test_inputs_are_fetched_whole_and_a_changed_one_runs_again(context: Context, tmp_path: Path) -> None:
    read: list[str] = []

    def body(space: Workspace) -> Product:
        read.append((space.inputs["data"] / "model.bin").read_text())
        return Product({}, "")

    old = artifact(tmp_path / "old", execute("curate", Config(), context, {}, Body("old")))
    new = artifact(tmp_path / "new", execute("curate", Config(size=4), context, {}, Body("new")))
    results = [execute("sft", Config(), context, {"data": folder}, body) for folder in (old, old, new)]
    assert read == ["old", "new"]
    assert [result.cached for result in results] == [False, True, False]
    assert results[0].manifest.provenance.inputs != results[2].manifest.provenance.inputs


def test_the_same_input_from_another_place_is_the_same_input(context: Context, tmp_path: Path) -> None:
    elsewhere = context.model_copy(update={"store": (tmp_path / "elsewhere").as_uri()})
    folders = [artifact(tmp_path / f"{i}", execute("curate", Config(), c, {}, Body())) for i, c in
               enumerate((context, elsewhere))]  # fmt: skip
    body = Body()
    assert [execute("sft", Config(), context, {"data": f}, body).cached for f in folders] == [False, True]


def test_a_body_that_raises_leaves_no_tree_and_its_files_do_not_return(context: Context) -> None:
    def failing(space: Workspace) -> Product:
        (space.out / "half.bin").write_text("half")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        execute("sft", Config(), context, {}, failing)
    assert not list(Path(context.store.removeprefix("file://")).rglob("*"))
    result = execute("sft", Config(), context, {}, Body())
    assert "half.bin" not in {file.path for file in result.manifest.files}


def test_scratch_survives_a_failure_and_goes_after_the_commit(context: Context) -> None:
    seen: list[bool] = []

    def body(space: Workspace) -> Product:
        checkpoint = space.scratch / "checkpoint"
        seen.append(checkpoint.exists())
        checkpoint.write_text("step 10")
        if len(seen) == 1:
            raise RuntimeError("preempted")
        return Product({}, "")

    with pytest.raises(RuntimeError, match="preempted"):
        execute("sft", Config(), context, {}, body)
    execute("sft", Config(), context, {}, body)
    assert seen == [False, True]
    assert not list(Path(context.work).rglob("checkpoint"))


KILLED = """
import os, signal, sys
from pathlib import Path
from hexad.stage import Context, execute
from test_execute import Config

def body(space):
    (space.out / "half.bin").write_text("half")
    (space.scratch / "checkpoint").write_text("step 10")
    os.kill(os.getpid(), signal.SIGKILL)

execute("sft", Config(), Context.model_validate_json(sys.argv[1]), {}, body)
"""


def test_a_stage_killed_before_its_commit_is_computed_again_from_its_scratch(context: Context) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, context.model_dump_json()], cwd=Path(__file__).parent, check=False
    )
    assert killed.returncode == -9
    found: list[str] = []

    def body(space: Workspace) -> Product:
        found.append((space.scratch / "checkpoint").read_text())
        return Product({}, "")

    result = execute("sft", Config(), context, {}, body)
    assert found == ["step 10"]
    assert not result.cached
    assert "half.bin" not in {file.path for file in result.manifest.files}


def test_a_tree_without_its_manifest_does_not_exist(context: Context) -> None:
    body = Body()
    first = execute("sft", Config(), context, {}, body)
    Path(first.manifest.uri.removeprefix("file://"), MANIFEST).unlink()
    assert read_manifest(open_store(context.store), first.manifest.uri) is None
    assert not execute("sft", Config(), context, {}, body).cached


def test_progress_ends_as_done_and_says_when_a_tree_was_reused(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_PROGRESS", str(tmp_path / "progress"))
    states = []
    for _ in range(2):
        execute("sft", Config(), context, {}, Body())
        states.append((tmp_path / "progress" / "sft.json").read_text())
    assert '"state": "done"' in states[0]
    assert '"state": "cached"' in states[1]


def test_a_tree_may_lie_under_its_own_digest_and_is_still_found_by_the_stage(context: Context) -> None:
    body = Body()
    first, second = (execute("serve", Config(), context, {}, body, by_digest="bundles/k") for _ in range(2))
    assert first.manifest.uri == f"{context.store}/bundles/k/{first.manifest.short}"
    assert (body.runs, second.cached, second.metrics, second.card) == (1, True, first.metrics, first.card)
    assert second.manifest == first.manifest


def test_a_tree_under_its_digest_that_is_gone_is_made_again(context: Context) -> None:
    body = Body()
    made = execute("serve", Config(), context, {}, body, by_digest="bundles/k").manifest
    open_store(made.uri).delete(f"{made.uri}/{MANIFEST}")
    assert not execute("serve", Config(), context, {}, body, by_digest="bundles/k").cached
    assert body.runs == 2
