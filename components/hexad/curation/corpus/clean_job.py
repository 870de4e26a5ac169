"""A shard of the corpus pipeline: its parts of the sources, read, filtered and held against the benchmarks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hexad.curation.config import CurateConfig
from hexad.curation.corpus.clean import clean
from hexad.curation.corpus.folders import hand_on, once
from hexad.curation.corpus.judges import judges_of, read_benchmark_items
from hexad.curation.corpus.layout import BENCHMARKS, CLEAN
from hexad.curation.corpus.parts import Part
from hexad.curation.corpus.plan import read_plan, reading
from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.files import find_files
from hexad.curation.readers.remote import localise
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str], group: str) -> StageResult:
    """Tree: clean/ with a folder for each part of the shard `group`."""
    own = reading(config)
    return execute(f"corpus_clean-{group}", own, context, inputs, lambda space: _clean(own, int(group), space))


def _clean(config: CurateConfig, shard: int, space: Workspace) -> Product:
    parts = read_plan(space.inputs["parts"]).dealt(shard, config.corpus.shards)
    judges = judges_of(read_benchmark_items(space.inputs["parts"] / BENCHMARKS))
    for number, part in enumerate(_here(parts, config.sources, space.scratch / "sources"), start=1):
        source = config.sources[part.source]
        once(space.scratch / CLEAN / part.folder, lambda out: clean(part, source, config.corpus, judges, out))  # noqa: B023
        space.progress.update(number / len(parts), f"{number}/{len(parts)} parts")
    hand_on(space.scratch / CLEAN, space.out / CLEAN)
    metrics = {"parts": float(len(parts))}
    return Product(metrics, figures_card(f"Shard {shard} of the corpus, cleaned", metrics), dict(metrics))


def _here(parts: Sequence[Part], sources: Sequence[SourceConfig], scratch: Path) -> Iterator[Part]:
    """The parts with files that can be read here: of a source that has to be brought, only the files that they need."""
    for number in dict.fromkeys(part.source for part in parts):
        mine, source = [part for part in parts if part.source == number], sources[number]
        local = localise(source, scratch / str(number), sorted({part.name for part in mine} - {""}))
        if local == source:
            yield from mine
            continue
        places = {file.name: file.place for file in find_files(local.path)}
        for part in mine:
            yield part.model_copy(update={"file": places[part.name] if part.name else local.path})
