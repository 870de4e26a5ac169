"""job: one stage, by hand or as a task of a workflow."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hexad.cli.inputs import refuse, say
from hexad.pipelines.code_version import code_version
from hexad.pipelines.settings import git_version
from hexad.pipelines.yaml_file import InvalidFile, explain, read
from hexad.records import MANIFEST, Record
from hexad.stage import Context
from hexad.stage.artifact import Settings
from hexad.stage.boxes import BOXES, GROUPS, Box
from hexad.storage import StorageError, open_store


@dataclass(frozen=True)
class ByHand:
    """What a person says of a stage."""

    config: Path
    out: str
    seed: int


def job(
    stage: str, given: ByHand | str, trees: list[str], group: str, result: Path | None, state: str, failures: str
) -> int:
    """`given` as a string: the settings that a pipeline gives to a stage. `state`, `failures`: for cleanup."""
    if isinstance(given, str) and stage in ("preflight", "cleanup"):
        return _check(given) if stage == "preflight" else _clean_up(given, state, failures)
    runnable = {name: box for name, box in BOXES.items() if name != "preflight"}
    if stage not in runnable:
        raise refuse(f"{stage}: no such stage; stages are {', '.join(runnable)}")
    box = runnable[stage]
    if (stage == "evaluate") != (group in GROUPS):
        raise refuse(f"--group {group or '(none)'}: evaluate takes one of {', '.join(GROUPS)}; other stages take none")
    inputs = _inputs(box, stage, trees)
    if isinstance(given, str):
        settings = _settings(given)
        config, context = _valid(settings.config, box.config_type(), Path("--settings")), settings.context
    else:
        config = _valid(_section(given.config, box.section), box.config_type(), given.config)
        store, code = _uri(given.out), code_version(box)
        context = Context(run=stage, store=store, seed=given.seed, git=git_version(), code=code)
    return _run(box, config, context, inputs, group, result)


def _run(box: Box, config: Record, context: Context, inputs: Mapping[str, str], group: str, result: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="hexad-") as folder:
        try:
            folders = _manifests(inputs, Path(folder))
        except StorageError as error:
            raise refuse(str(error)) from error
        options = {"group": group} if group else {}
        try:
            made = box.load_job().run(config, context, folders, **options)
        except StorageError as error:
            say(str(error), error=True)
            return 1
    if result is not None:
        from hexad.pipelines.result_folder import write_result

        write_result(result, made)
    say(f"{'found' if made.cached else 'made'}: {made.manifest.uri}")
    for name, value in sorted(made.metrics.items()):
        say(f"{name}: {value:g}")
    return 0


def _check(settings: str) -> int:
    from hexad.preflight.job import NotReady, main

    _settings(settings)
    with tempfile.TemporaryDirectory(prefix="hexad-") as folder:
        card = Path(folder) / "card.md"
        try:
            main(settings, str(card))
        except NotReady as missing:
            say(str(missing), error=True)
            return 1
        say(card.read_text())
    return 0


def _clean_up(settings: str, state: str, failures: str) -> int:
    """`state` as Argo says it: Succeeded, Failed or Error."""
    from hexad.argo.failures import first_failure
    from hexad.cleanup.job import main

    _settings(settings)
    with tempfile.TemporaryDirectory(prefix="hexad-") as folder:
        main(settings, state.upper(), first_failure(failures), str(Path(folder) / "card.md"))
    return 0


def _settings(text: str) -> Settings:
    try:
        return Settings.model_validate_json(text)
    except ValidationError as invalid:
        raise refuse(f"--settings: is not what a pipeline gives a stage: {invalid}") from invalid


def _valid(config: Any, kind: type[Record], place: Path) -> Record:
    try:
        return kind.model_validate(config)
    except ValidationError as invalid:
        problems = [explain(error, kind) for error in invalid.errors(include_url=False)]
        raise refuse(str(InvalidFile(place, problems))) from invalid


def _section(file: Path, section: str) -> object:
    try:
        data, _ = read(file)
    except InvalidFile as invalid:
        raise refuse(str(invalid)) from invalid
    whole_recipe = {"name", "curate"} <= data.keys()
    return data.get(section, {} if whole_recipe else data)


def _inputs(box: Box, stage: str, trees: list[str]) -> dict[str, str]:
    given = dict(pair for tree in trees for pair in _named(tree))
    if set(given) != set(box.inputs):
        wanted = " ".join(f"--in {name}=TREE" for name in box.inputs) or "no --in"
        raise refuse(f"{stage} takes {wanted}; given: {', '.join(given) or 'none'}")
    return {name: _uri(tree) for name, tree in given.items()}


def _named(tree: str) -> list[tuple[str, str]]:
    """One NAME=TREE, or one for each of NAME,NAME=[TREE,TREE]: the JSON list that Argo makes of a loop's results."""
    name, _, value = tree.partition("=")
    if "," not in name:
        return [(name, value)]
    try:
        return list(zip(name.split(","), map(str, json.loads(value)), strict=True))
    except (ValueError, TypeError) as error:
        raise refuse(f"--in {tree}: wants a JSON list with one tree for each name ({error})") from error


def _manifests(trees: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Folders that hold each tree's manifest, as KFP artifacts do."""
    found = {}
    for name, uri in trees.items():
        (folder / name).mkdir()
        (folder / name / MANIFEST).write_bytes(open_store(uri).read_bytes(f"{uri}/{MANIFEST}"))
        found[name] = str(folder / name)
    return found


def _uri(place: str) -> str:
    # Not `as_uri`: names in store URIs are not percent-encoded.
    return place.rstrip("/") if "://" in place else f"file://{Path(place).resolve()}"
