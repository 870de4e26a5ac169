"""A recipe's errors come all at once, each with its line, its path and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexad.pipelines.recipe import Recipe, load_recipe
from hexad.pipelines.settings import local_files, local_files_version
from hexad.pipelines.yaml_file import InvalidFile

CASES = [json.loads(line) for line in Path(__file__).with_name("recipe_errors.jsonl").read_text().splitlines()]
VALID: dict[str, Any] = {"name": "test", "curate": {"base": {"kind": "random"}}}


def write(folder: Path, changes: dict[str, Any]) -> Path:
    """A valid recipe with some dotted paths set."""
    recipe = json.loads(json.dumps(VALID))
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = recipe
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        load_recipe(file)
    return [str(problem) for problem in caught.value.problems]


def test_a_recipe_needs_a_name_and_a_base_model_only(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, {})) == Recipe.model_validate(VALID)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_error_names_its_path_and_the_mend(case: dict[str, Any], tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, case["set"]))
    line, path, message = found.split(": ", 2)
    assert line.startswith("line ")
    assert path == case["path"]
    assert case["says"] in message


def test_sources_may_be_globs_whose_files_are_part_of_what_a_run_depends_on(tmp_path: Path) -> None:
    source = {"id": "a/b", "revision": "1", "path": f"{tmp_path}/**/*.jsonl", "kind": "guru"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.jsonl").write_text("{}\n")
    recipe = load_recipe(write(tmp_path, {"curate.sources": [source]}))
    assert local_files(recipe) == {source["path"]: tmp_path}
    before = local_files_version(recipe)
    (tmp_path / "data/more.jsonl").write_text("{}\n")
    assert local_files_version(recipe) != before


def test_prompts_may_all_be_drawn_from_reasoning_gym(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, {"curate.generated": {"prompts": 0, "reasoning_gym": {"gcd": 200}}}))
    assert recipe.rlvr.prompts_per_step <= 200


def test_a_model_in_the_hub_s_cache_is_links_to_files_elsewhere(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "3697c18"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    (blobs / "a1").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/a1")
    recipe = load_recipe(write(tmp_path, {"curate.base": {"kind": "path", "path": str(snapshot)}}))
    before = local_files_version(recipe)
    (blobs / "a1").write_text('{"vocab_size": 7}')
    assert local_files_version(recipe) != before


def test_all_errors_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    wrong = {"seed": "x", "sft.epochs": 0, "sft.typo": 1, "gate.benchmark": "maths", "drafter.enabled": False}
    found = problems(write(tmp_path, wrong))
    assert [text.split(": ")[1] for text in found] == [
        "seed", "sft.epochs", "sft.typo", "gate.benchmark", "drafter.enabled",
    ]  # fmt: skip


def test_an_unknown_key_does_not_hide_a_section_rule(tmp_path: Path) -> None:
    found = problems(write(tmp_path, {"curate.max_tokens": 64, "curate.pack_tokens": 8, "curate.typo": 1}))
    assert len(found) == 2


def test_the_line_is_that_of_the_key(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("# comment\nname: test\n\ncurate:\n  base: {kind: random}\n  plan_share: 7\n")
    assert problems(file)[0].startswith("line 6: curate.plan_share: is 7")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "not YAML"),
        ("- a\n- b\n", "must hold 'key: value' lines"),
        ("", "must hold 'key: value' lines"),
        ("name: a\ncurate: &all {base: *all}\n", "an alias (*name) refers to what holds it"),
        ("name: a\nname: b\n", "line 2: name: stands twice, first on line 1"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_clear_error(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    (found,) = problems(file)
    assert says in found


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "none.yaml")
    assert "cannot be read" in found


@pytest.mark.parametrize("file", sorted(Path("recipes").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_recipes_are_valid(file: Path) -> None:
    assert load_recipe(file).name
