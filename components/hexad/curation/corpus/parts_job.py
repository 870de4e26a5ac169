"""First task of the corpus pipeline: the parts of all sources, and what their rows are held against."""

from collections.abc import Mapping
from pathlib import Path

from hexad.curation.benchmarks import read_benchmarks
from hexad.curation.config import CurateConfig
from hexad.curation.corpus.judges import write_benchmarks
from hexad.curation.corpus.layout import BENCHMARKS
from hexad.curation.corpus.parts import Part, list_parts
from hexad.curation.corpus.plan import CorpusPlan, made_of, reading, write_plan
from hexad.curation.generate import as_prompts, generate
from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.remote import localise
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: plan.json, and benchmarks/ with the items of each."""
    own = reading(config)
    return execute("corpus_parts", own, context, inputs, lambda space: _list(own, space))


def _list(config: CurateConfig, space: Workspace) -> Product:
    if not config.sources:
        raise ValueError("curate.sources is empty; a corpus is made of sources, so name some")
    seed = space.context.seed
    held_out = as_prompts(generate(config.generated, seed).test, "test")
    benchmarks, _ = read_benchmarks(held_out, config.corpus.benchmarks, space.scratch / "benchmarks")
    (space.out / BENCHMARKS).mkdir()
    write_benchmarks(benchmarks, space.out / BENCHMARKS)
    parts = _parts(config, space.scratch / "sources")
    write_plan(space.out, CorpusPlan(made_of=made_of(config, seed, benchmarks), parts=tuple(parts)))
    metrics = {"parts": float(len(parts)), "shards": float(config.corpus.shards)}
    return Product(metrics, figures_card("Parts of the corpus", metrics), dict(metrics))


def _parts(config: CurateConfig, scratch: Path) -> list[Part]:
    local = [localise(source, scratch / str(number)) for number, source in enumerate(config.sources)]
    found = list_parts(local, config.corpus.part_mib << 20)
    return [part if local[part.source] == (own := config.sources[part.source]) else _elsewhere(part, own)
            for part in found]  # fmt: skip


def _elsewhere(part: Part, source: SourceConfig) -> Part:
    """A part of files that were brought here: other tasks must bring them themselves, and find them by name."""
    return part.model_copy(update={"file": source.path})
