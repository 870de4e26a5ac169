"""`hexad doctor` on this machine."""

from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from hexad.cli.main import app


def doctor(*arguments: str) -> Result:
    done = CliRunner().invoke(app, ["doctor", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_it_shows_what_this_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = doctor()
    for check in ("python", "memory", "package kfp", "juicefs", "code sandbox"):
        assert check in done.stdout
    assert (done.exit_code == 1) == bool(done.stderr)


def test_what_a_recipe_asks_for_beyond_that_is_one_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    needs = {"min_free_disk_gib": 1e9, "paths": ["[model]"], "packages": ["no_such_package"]}
    recipe = {"name": "test", "curate": {"base": {"kind": "random"}}, "preflight": needs}
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))
    done = doctor("--recipe", "recipe.yaml")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert any(line.startswith(f"disk for {tmp_path}: ") and "choose another folder" in line for line in lines)
    assert "path [model]: missing: correct preflight.paths or put the files there" in lines
    assert any(line.startswith("package no_such_package: missing: ") for line in lines)
    assert "[model]" in done.stdout


def test_a_recipe_that_is_none_ends_with_2() -> None:
    assert doctor("--recipe", "none.yaml").exit_code == 2
