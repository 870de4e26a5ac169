"""run and report."""

import signal
import webbrowser
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from hexad.cli.inputs import BAD_INPUT, images_into, profile_from, recipe_from, refuse, say, summary_of
from hexad.images.images_lock import IMAGES_LOCK
from hexad.pipelines.console import clock
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.run_folder import FolderInUse, RunFolder
from hexad.records import Summary
from hexad.stage.boxes import SECTIONS
from hexad.storage import StorageError


def run(
    file: Path, runner: str, again_from: str, out: Path | None, store: str, profile_name: str,
    images: Path = Path(IMAGES_LOCK), mount_source: bool = False, kind: PipelineKind = PipelineKind.POST_TRAINING,
) -> int:  # fmt: skip
    if again_from and again_from not in SECTIONS:
        raise refuse(f"--from {again_from}: no such stage; stages are {', '.join(SECTIONS)}")
    recipe, profile = recipe_from(file), profile_from(profile_name)
    if kind is PipelineKind.CORPUS and (again_from or not recipe.curate.sources):
        raise refuse("--pipeline corpus: takes no --from, and a recipe whose curate.sources names files of data")
    if runner == "docker":
        profile = images_into(profile, images, this_source=not mount_source)
    from hexad.pipelines.local import RunFailed, run_corpus, run_recipe

    folder = RunFolder(out or Path("runs") / recipe.name)
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console()
    try:
        if kind is PipelineKind.CORPUS:
            made = run_corpus(recipe, profile, folder, console, runner, store, mount_source)
            say("".join(f"{name}: {value:g}\n" for name, value in sorted(made.metrics.items())) + f"corpus: {made.uri}")
            say(f"put into the recipe: curate: {{corpus: {{tree: {made.uri}}}}}")
            return 0
        result = run_recipe(recipe, profile, folder, console, runner, store, again_from, mount_source)
    except (RunFailed, FolderInUse, StorageError, OSError) as failed:
        say(str(failed), error=True)
        return 1
    except KeyboardInterrupt:
        say(f"stopped; run the same command again to go on from the last finished stage ({folder.root})", error=True)
        return 1
    show(console, result.summary)
    say(f"gate: {result.decision}\nreport: {result.report}\ndone in {clock(result.seconds)}")
    return 0


def report(folder: Path, open_page: bool) -> int:
    run_folder = RunFolder(folder)
    if not (run_folder.report.is_file() and run_folder.summary.is_file()):
        say(f"{folder}: holds no finished run; start one with: hexad run RECIPE --out {folder}", error=True)
        return BAD_INPUT
    show(Console(), summary_of(run_folder.summary))
    say(f"report: {run_folder.report}")
    if open_page:
        webbrowser.open(run_folder.report.as_uri())
    return 0


def show(console: Console, summary: Summary) -> None:
    """Stages and what every cell scored."""
    stages = Table("stage", "status", "time", title=f"{summary.recipe} (seed {summary.seed})", title_justify="left")
    for name, stage in summary.stages.items():
        stages.add_row(name, stage.status, clock(stage.seconds))
    console.print(stages)
    cells = Table("cell", "score", "95 % interval", "questions", title="every question", title_justify="left")
    for cell, scores in summary.scores.items():
        if score := scores.get("all"):
            low, high = score.ci95
            cells.add_row(cell, f"{score.mean:.3f}", f"{low:.3f} to {high:.3f}", str(score.questions))
    console.print(cells)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
