"""From a stage's result to KFP artifacts, and what a task leaves for whoever watches."""

import json
from pathlib import Path

import pytest
from kfp import dsl

from hexad.records import MANIFEST, Manifest, Provenance
from hexad.stage import StageResult
from hexad.stage.artifact import publish, publish_file, reporting, run_box
from hexad.stage.progress import ENVIRONMENT
from hexad.storage import commit_tree, open_store


@pytest.fixture
def result(tmp_path: Path) -> StageResult:
    """A committed tree of one file."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "report.html").write_text("<p>hello</p>")
    uri = (tmp_path / "store").as_uri()
    manifest = commit_tree(open_store(uri), made, f"{uri}/report/1", Provenance(stage="report"), {"pages": 1})
    return StageResult(manifest, {"score": 0.5}, "# Card", cached=False)


def artifacts(folder: Path) -> tuple[dsl.Model, dsl.Metrics, dsl.Markdown]:
    folder.mkdir()
    return dsl.Model(uri=str(folder / "tree")), dsl.Metrics(uri=str(folder / "m")), dsl.Markdown(uri=str(folder / "c"))


def test_an_artifact_holds_the_manifest_and_shows_where_the_tree_is(result: StageResult, tmp_path: Path) -> None:
    tree, metrics, card = artifacts(tmp_path / "task")
    publish(result, tree, metrics, card)
    assert Manifest.from_json((Path(tree.path) / MANIFEST).read_bytes()) == result.manifest
    shown = {"store_uri": result.manifest.uri, "digest": result.manifest.digest, "bytes": 12, "pages": 1}
    assert shown.items() <= tree.metadata.items()
    assert metrics.metadata == {"score": 0.5}
    assert Path(card.path).read_text() == "# Card"


def test_the_artifact_s_own_uri_stays(result: StageResult, tmp_path: Path) -> None:
    tree, metrics, card = artifacts(tmp_path / "task")
    before = tree.uri
    publish(result, tree, metrics, card)
    assert tree.uri == before


def test_metrics_have_a_file_so_that_kfp_s_local_cache_finds_them(result: StageResult, tmp_path: Path) -> None:
    tree, metrics, card = artifacts(tmp_path / "task")
    publish(result, tree, metrics, card)
    assert json.loads(Path(metrics.path).read_text()) == {"score": 0.5}


def test_a_page_is_copied_out_of_the_tree(result: StageResult, tmp_path: Path) -> None:
    page = dsl.HTML(uri=str(tmp_path / "page"))
    publish_file(result, "report.html", page)
    assert Path(page.path).read_text() == "<p>hello</p>"


def test_a_failure_is_written_down_and_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    with pytest.raises(KeyError), reporting("sft"):
        raise KeyError("lost")
    failure = json.loads((tmp_path / "sft.error.json").read_bytes())
    assert failure == {"stage": "sft", "type": "KeyError", "message": "'lost'"}


def test_settings_that_do_not_fit_are_a_failure_of_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "progress"))
    tree, metrics, card = artifacts(tmp_path / "task")
    settings = json.dumps({"config": {"typo": 1}, "context": {"run": "test", "store": (tmp_path / "s").as_uri()}})
    with pytest.raises(ValueError, match="typo"):
        run_box("gate", settings, {}, tree, metrics, card)
    assert "typo" in (tmp_path / "progress" / "gate.error.json").read_text()
