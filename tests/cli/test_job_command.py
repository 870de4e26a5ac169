"""`hexad job` as a workflow's task: bad settings and bad inputs are refused with exit code 2 and their mend."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.records import Provenance
from hexad.storage import commit_tree, open_store

SETTINGS = '{"config": {}, "context": {"run": "test", "store": "file:///none"}}'
REFUSED = {
    "neither a file nor settings": (["gate", "--out", "out"], "give --config and --out, or --settings"),
    "settings that are no JSON": (["gate", "--settings", "{"], "--settings: is not what a pipeline gives a stage"),
    "an unknown key in a section": (
        ["curate", "--settings", SETTINGS.replace("{}", '{"bass": 1}', 1)],
        "bass: unknown key; did you mean 'base'?",
    ),
    "a loop's list that is too short": (
        ["scores", "--settings", SETTINGS, "--in", 'base,sft=["file:///a"]'],
        "wants a JSON list with one tree for each name",
    ),
    "a loop's list that is none": (
        ["scores", "--settings", SETTINGS, "--in", "base,sft=file:///a"],
        "wants a JSON list with one tree for each name",
    ),
    "preflight by hand": (["preflight", "--config", "recipes/tiny.yaml", "--out", "out"], "preflight: no such stage"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_refused(what: str) -> None:
    command, message = REFUSED[what]
    options = ["--in", "scores=file:///a", "--in", "data=file:///b"] if command[0] == "gate" else []
    done = CliRunner().invoke(app, ["job", *command, *options])
    assert done.exit_code == 2
    assert message in done.output


@pytest.mark.parametrize("config", ["alpha: 0.01\n", "gate: {alpha: 0.01}\n", "name: k\ncurate: {}\n"])
def test_a_config_is_a_section_or_a_recipe_which_may_leave_the_section_out(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(config)
    trees = ["--in", "scores=file:///none/a", "--in", "data=file:///none/b"]
    done = CliRunner().invoke(app, ["job", "gate", "--config", str(tmp_path / "config.yaml"), "--out", "out", *trees])
    assert "file:///none/a/manifest.json: no such object" in done.output


def test_folders_may_have_blanks_in_their_names(tmp_path: Path) -> None:
    place, made = tmp_path / "my runs", tmp_path / "made"
    made.mkdir()
    (made / "scores.json").write_text('{"deltas": []}')
    for name in ("scores", "data"):
        uri = f"file://{place}/{name}"
        commit_tree(open_store(uri), made, uri, Provenance(stage=name), {})
    (tmp_path / "gate.yaml").write_text("alpha: 0.01\n")
    trees = ["--in", f"scores={place / 'scores'}", "--in", f"data={place / 'data'}"]
    done = CliRunner().invoke(
        app, ["job", "gate", "--config", str(tmp_path / "gate.yaml"), "--out", str(place / "out"), *trees]
    )
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in place.iterdir()) == ["data", "out", "scores"]
