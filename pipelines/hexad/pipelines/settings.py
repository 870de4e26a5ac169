"""From a recipe to what every box gets: its section, and what it must know of the run."""

import hashlib
import subprocess
from collections.abc import Collection, Mapping
from glob import glob, has_magic
from pathlib import Path

import hexad
from hexad.cleanup.config import CleanupConfig
from hexad.curation.readers.places import fixed_folder
from hexad.curation.stored import is_stored
from hexad.pipelines.cluster_needs import needs_of
from hexad.pipelines.code_version import code_version
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.preflight.cluster.needs import inside_a_run
from hexad.records import Record
from hexad.stage import Context
from hexad.stage.artifact import Settings
from hexad.stage.boxes import BOXES, CORPUS_BOXES

_IDLE_DAYS = 7  # longer than a task waits in a queue for its next try
_HASHED_BYTES = 64 << 20  # larger files count by size: hashing a 60 GB model would make every compile wait for it


def box_settings(
    recipe: Recipe, profile: Profile, store: str = "", work: str = "", attempts: Mapping[str, int] | None = None,
    every_run: Collection[str] = (),
) -> dict[str, str]:  # fmt: skip
    """Box name to its settings string.

    `store` overrides the profile's, `work` its cache; `attempts` says how often a section was asked to be computed
    again, `every_run` which sections each Kubeflow run computes anew.
    """
    attempts = attempts or {}
    cache = profile.tasks.cache
    shared = cache is not None and cache.claim and not work
    work = work or (f"{cache.path}/{recipe.name}" if cache else "")
    git = git_version()
    sources = local_files_version(recipe)
    place = f"{(store or profile.store).rstrip('/')}/{recipe.name}"
    settings = {}
    for name, box in (BOXES | CORPUS_BOXES).items():
        code = code_version(box) + (sources if name in ("curate", "corpus_parts") else "")
        context = Context(run=recipe.name, store=place, work=work, seed=recipe.seed, git=git,
                          image=profile.images[box.image], code=code, attempt=attempts.get(box.section, 0),
                          every_run=box.section in every_run)  # fmt: skip
        config = _section(recipe, box.section) | (_cluster(profile) if name == "preflight" else {})
        settings[name] = Settings(config=config, context=context).model_dump_json()
    clear = Context(run=recipe.name, store=place, work=work, seed=recipe.seed, git=git)
    cleanup = CleanupConfig(idle_days=_IDLE_DAYS if shared else 0)
    settings["cleanup"] = Settings(config=cleanup.model_dump(), context=clear).model_dump_json()
    if profile.model_registry:
        settings["register"] = Settings(config={"url": profile.model_registry}, context=clear).model_dump_json()
    return settings


def local_files_version(recipe: Recipe) -> str:
    """Digest of the local files that a recipe names, so that a changed base model or data file is a new input."""
    content = hashlib.sha256()
    for name, root in local_files(recipe).items():
        # By the names that they go by here: the hub's cache holds a model as links to files in another folder.
        for below, file in sorted(_files(name, root)):
            size = file.stat().st_size
            digest = hashlib.sha256(file.read_bytes()).hexdigest() if size <= _HASHED_BYTES else ""
            content.update(f"{name}/{below}\0{size}\0{digest}\0".encode())
    return "-" + content.hexdigest()[:16]


def _files(name: str, root: Path) -> list[tuple[Path, Path]]:
    """Files that a recipe's `name` stands for: path below `root`, and path."""
    if has_magic(name):
        folder = fixed_folder(name) or "."
        found = [(path.relative_to(folder), path) for path in map(Path, glob(name, recursive=True))]
    elif root.is_dir():
        found = [(path.relative_to(root), path) for path in root.rglob("*")]
    else:
        found = [(Path(), root)]
    return [(below, path) for below, path in found if path.is_file()]


def local_files(recipe: Recipe) -> dict[str, Path]:
    """Files and folders of this machine that a recipe names: as written, to the absolute path (of a glob, to the
    folder above its wildcards).

    Trees in a store are none: a committed tree never changes, and its URI is part of the section.
    """
    base = [recipe.curate.base.path] if recipe.curate.base.kind == "path" and recipe.curate.base.path else []
    benchmarks = (benchmark.source.path for benchmark in recipe.curate.corpus.benchmarks)
    named = [*base, *(source.path for source in recipe.curate.sources), *benchmarks]
    return {name: Path(fixed_folder(name) if has_magic(name) else name).resolve()
            for name in named if not is_stored(name)}  # fmt: skip


def git_version() -> str:
    """Commit of the source, with '-dirty' when it was edited; empty outside a repository."""
    folder = Path(next(iter(hexad.__path__)))
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _cluster(profile: Profile) -> dict[str, object]:
    """What preflight looks for in the cluster that it will run in."""
    return {"cluster": inside_a_run(needs_of(profile)).model_dump(mode="json")} if profile.cluster else {}


def _section(recipe: Recipe, section: str) -> dict[str, object]:
    config: Record = getattr(recipe, section)
    values: dict[str, object] = config.model_dump(mode="json")
    if section == "report":
        values["recipe"] = values["recipe"] or recipe.name
    return values
