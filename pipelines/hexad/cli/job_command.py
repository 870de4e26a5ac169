"""job: one stage by hand."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from hexad.cli.inputs import refuse, say
from hexad.pipelines.code_version import code_version
from hexad.pipelines.settings import git_version
from hexad.pipelines.yaml_file import InvalidFile, explain, read
from hexad.records import MANIFEST
from hexad.stage import Context
from hexad.stage.boxes import BOXES, GROUPS, Box
from hexad.storage import StorageError, open_store


def job(stage: str, config: Path, trees: list[str], out: str, group: str, seed: int) -> int:
    runnable = {name: box for name, box in BOXES.items() if name != "preflight"}
    if stage not in runnable:
        raise refuse(f"{stage}: no such stage; stages are {', '.join(runnable)}")
    box = runnable[stage]
    if (stage == "evaluate") != (group in GROUPS):
        raise refuse(f"--group {group or '(none)'}: evaluate takes one of {', '.join(GROUPS)}; other stages take none")
    inputs = _inputs(box, stage, trees)
    context = Context(run=stage, store=_uri(out), seed=seed, git=git_version(), code=code_version(box))
    try:
        settings = box.config_type().model_validate(_section(config, box.section))
    except InvalidFile as invalid:
        raise refuse(str(invalid)) from invalid
    except ValidationError as invalid:
        problems = [explain(error, box.config_type()) for error in invalid.errors(include_url=False)]
        raise refuse(str(InvalidFile(config, problems))) from invalid
    with tempfile.TemporaryDirectory(prefix="hexad-") as folder:
        try:
            folders = _manifests(inputs, Path(folder))
        except StorageError as error:
            raise refuse(str(error)) from error
        options = {"group": group} if group else {}
        try:
            result = box.load_job().run(settings, context, folders, **options)
        except StorageError as error:
            say(str(error), error=True)
            return 1
    say(f"{'found' if result.cached else 'made'}: {result.manifest.uri}")
    for name, value in sorted(result.metrics.items()):
        say(f"{name}: {value:g}")
    return 0


def _section(file: Path, section: str) -> object:
    data, _ = read(file)
    return data.get(section, data)


def _inputs(box: Box, stage: str, trees: list[str]) -> dict[str, str]:
    given = dict(tree.partition("=")[::2] for tree in trees)
    if set(given) != set(box.inputs):
        wanted = " ".join(f"--in {name}=TREE" for name in box.inputs) or "no --in"
        raise refuse(f"{stage} takes {wanted}; given: {', '.join(given) or 'none'}")
    return {name: _uri(tree) for name, tree in given.items()}


def _manifests(trees: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Folders that hold each tree's manifest, as KFP artifacts do."""
    found = {}
    for name, uri in trees.items():
        (folder / name).mkdir()
        (folder / name / MANIFEST).write_bytes(open_store(uri).read_bytes(f"{uri}/{MANIFEST}"))
        found[name] = str(folder / name)
    return found


def _uri(place: str) -> str:
    return place.rstrip("/") if "://" in place else Path(place).resolve().as_uri()
