"""What the pages tell people to type exists: commands with their options, make's targets, modules, files, pages."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
from tests.docs.markdown import blocks, commands, links, spans
from typer.core import TyperGroup

from hexad.cli.main import app

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]
FOLDERS = "benchmarks|components|docs|images|manifests|models|pipelines|profiles|recipes|requirements|tests"
# Names that stand for the reader's own: RUN, my-cluster, <stage>, a shell variable, an ellipsis; globs name many.
PATTERN = re.compile(r"[A-Z]{2,}|\bmy-|[<>$…*{}]")
PATH = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./<>*{{}}$…-]*[\w/>*}}]")

# Written about before it is merged.
AWAITED = {"doctor": {"--profile", "--namespace", "--recipe", "--pull"}}


@cache
def hexad() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


@cache
def makefile() -> str:
    return Path("Makefile").read_text()


def typed(page: Path, *programs: str) -> Iterator[tuple[str, list[str]]]:
    """Place and words of each call of a program on a page."""
    for number, line in (*blocks(page), *spans(page)):
        for call in commands(line, programs):
            yield f"{page}:{number}", call


def complaints(call: list[str]) -> list[str]:
    """What of a call of `hexad` does not exist."""
    name = next(iter(call[1:]), "--help")
    if name == "--help":
        return []
    command = hexad().commands.get(name)
    if command is None:
        return [f"no command {name!r}"]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= AWAITED.get(name, set())
    given = [word.partition("=")[0] for word in call[1:] if re.match(r"--?[a-z]", word)]
    return [f"{name}: no option {word!r}" for word in given if word not in options | {"--help"}]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_hexad_command_exists_with_its_options(page: Path) -> None:
    wrong = [f"{place}: {what}" for place, call in typed(page, "hexad") for what in complaints(call)]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_make_target_and_variable_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile(), re.MULTILINE))
    variables = set(re.findall(r"\$\(([A-Z_]+)\)", makefile()))
    wrong = []
    for place, call in typed(page, "make"):
        words = [word for word in call[1:] if word != "…"]
        unknown = [word for word in words if "=" not in word and word not in targets]
        unknown += [word for word in words if "=" in word and word.partition("=")[0] not in variables]
        wrong += [f"{place}: make {word}" for word in unknown]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_module_that_is_run_exists(page: Path) -> None:
    wrong = []
    for place, call in typed(page, "python", "python3"):
        ours = call[2] if call[1:2] == ["-m"] and call[2].startswith(("hexad.", "benchmarks")) else None
        if ours and importlib.util.find_spec(ours) is None:
            wrong.append(f"{place}: {ours}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = [(number, path) for number, code in (*blocks(page), *spans(page)) for path in PATH.findall(code)]
    wrong = [
        f"{page}:{number}: {path}" for number, path in named if not PATTERN.search(path) and not Path(path).exists()
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_page_that_is_linked_exists(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {Path(target) for target in links(Path("README.md"))}
    assert {page for page in PAGES if page.parent == Path("docs")} <= linked


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_names_this_machine_s_folders(page: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:work|root|opt|home)/\S+", page.read_text()) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("hexad plann recipes/tiny.yaml", "no command 'plann'"),
        ("export X=1; hexad plan recipes/tiny.yaml --profil kind", "plan: no option '--profil'"),
        ("FOO=bar .venv/bin/hexad runs --nothing | tail", "runs: no option '--nothing'"),
        ("hexad --profile kind", "no command '--profile'"),
    ],
)
def test_the_search_finds_what_does_not_exist(line: str, says: str) -> None:
    found = [what for call in commands(line, ("hexad",)) for what in complaints(call)]
    assert len(found) == 1
    assert says in found[0]


def test_a_page_s_code_is_read_from_fences_indents_and_spans(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Run `make a`:\n\n    make b \\\n      C=1\n\n```sh\nmake d  # make e\n```\n\n- x\n    prose: make f\n"
    )
    assert [call for _, call in typed(page, "make")] == [["make", "b", "C=1"], ["make", "d"], ["make", "a"]]
