"""Base models, and data that lies in the store as trees."""

import filecmp
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hexad.chat import CHATML
from hexad.cli.main import app
from hexad.curation.base_model import bring
from hexad.curation.config import BaseModelConfig
from hexad.curation.stored import fetch_base, fetch_files
from hexad.storage import ObjectMissing


def put(folder: Path, uri: str, *more: str) -> str:
    done = CliRunner().invoke(app, ["put", str(folder), uri, *more])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Folder of a model with another chat template and another end."""
    folder = tmp_path / "model"
    bring(BaseModelConfig(kind="random"), ["<|im_start|>user\nWhat is 1 + 1?<|im_end|>\n"] * 40, 0, folder)
    tokenizer = folder / "tokenizer_config.json"
    changed = {"chat_template": "another", "eos_token": "<|im_start|>"}
    tokenizer.write_text(json.dumps(json.loads(tokenizer.read_bytes()) | changed))
    (folder / "chat_template.jinja").write_text("another")
    for name in ("config.json", "generation_config.json"):
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_bytes()) | {"eos_token_id": 0}))
    return folder


def assert_pinned(model: Path) -> None:
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(model)
    assert found.chat_template == CHATML
    assert found.eos_token == "<|im_end|>"
    for name in ("config.json", "generation_config.json"):
        assert json.loads((model / name).read_bytes())["eos_token_id"] == found.eos_token_id


def test_a_base_model_from_a_store_has_our_template_our_end_of_turn_and_its_revision(
    foreign: Path, tmp_path: Path
) -> None:
    uri = f"file://{tmp_path}/store/models/tiny"
    assert "model org/tiny at 5a1b" in put(foreign, uri, "--id", "org/tiny", "--revision", "5a1b")
    stored = BaseModelConfig(kind="path", path=uri)
    assert bring(stored, [], 0, tmp_path / "base") == {"org/tiny": "5a1b"}
    assert_pinned(tmp_path / "base")


def test_a_base_model_from_a_folder_has_them_too_and_the_folder_stays_as_it_is(foreign: Path, tmp_path: Path) -> None:
    bring(BaseModelConfig(kind="path", path=str(foreign)), [], 0, tmp_path / "base")
    assert_pinned(tmp_path / "base")
    assert (foreign / "chat_template.jinja").read_text() == "another"


def test_a_model_that_has_our_template_keeps_its_bytes(tmp_path: Path) -> None:
    ours = Path(__file__).parents[2] / "models" / "quickstart-base"
    bring(BaseModelConfig(kind="path", path=str(ours)), [], 0, tmp_path / "base")
    assert filecmp.cmpfiles(ours, tmp_path / "base", [path.name for path in ours.iterdir()], shallow=False)[1:] == (
        [],
        [],
    )


def test_files_of_a_tree_match_the_glob_behind_the_hash(tmp_path: Path) -> None:
    for name in ("train/a.jsonl", "train/b.jsonl", "test/c.jsonl"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")
    local = f"file://{tmp_path}/store/data"
    put(tmp_path / "data", local)
    pattern = fetch_files(f"{local}#train/*.jsonl", tmp_path / "here")
    assert sorted(path.name for path in Path(pattern).parent.glob("*.jsonl")) == ["a.jsonl", "b.jsonl"]


def test_a_tree_that_is_not_there_is_named_with_the_command_that_puts_it_there(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match=r"curate\.base\.path: no tree is committed at .*hexad put FOLDER"):
        fetch_base(f"file://{tmp_path}/nothing", tmp_path / "base")


def test_a_tree_without_a_model_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.jsonl").write_text("{}\n")
    uri = f"file://{tmp_path}/store/data"
    put(tmp_path / "data", uri)
    with pytest.raises(FileNotFoundError, match=r"has no config\.json; put a transformers model there"):
        fetch_base(uri, tmp_path / "base")


def test_another_folder_at_a_place_that_is_taken_ends_with_1(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    uri = f"file://{tmp_path}/store/place"
    put(tmp_path / "one", uri)
    done = CliRunner().invoke(app, ["put", str(tmp_path / "two"), uri])
    assert done.exit_code == 1
    assert "commit to a new URI" in done.output
