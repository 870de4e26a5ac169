"""The one task of the corpus pipeline that sees all rows: duplicates among them, and the tokenizer for what stays."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pyarrow.parquet as pq

from hexad.curation.base_model import bring_tokenizer
from hexad.curation.config import CurateConfig
from hexad.curation.corpus.duplicates import PartRows, find_duplicates
from hexad.curation.corpus.judges import read_benchmark_items
from hexad.curation.corpus.layout import BENCHMARKS, CLEAN, DUPLICATES, ROWS
from hexad.curation.corpus.plan import CorpusPlan, read_plan, reading
from hexad.curation.corpus.run import SAMPLE, Corpus, kind_of, text_of
from hexad.curation.generate import generate
from hexad.curation.own_rows import own_rows
from hexad.records import Trace
from hexad.records.layout import BASE
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: duplicates/ with each part's drops, base/ with the tokenizer. Inputs: parts, and clean-<shard>."""
    own = reading(config)
    return execute("corpus_duplicates", own, context, inputs, lambda space: _find(own, space))


def _find(config: CurateConfig, space: Workspace) -> Product:
    plan = read_plan(space.inputs["parts"])
    rows = []
    for shard in range(config.corpus.shards):
        folder = space.inputs[f"clean-{shard}"] / CLEAN
        dealt = plan.dealt(shard, config.corpus.shards)
        rows += [PartRows(folder / part.folder, kind_of(config.sources[part.source])) for part in dealt]
    (space.out / DUPLICATES).mkdir()
    find_duplicates(rows, config.corpus, space.out / DUPLICATES)
    space.progress.update(0.8, "found duplicates")
    _bring_tokenizer(config, plan, rows, space)
    metrics = {"parts": float(len(rows))}
    return Product(metrics, figures_card("Duplicates in the corpus", metrics), dict(metrics))


def _bring_tokenizer(config: CurateConfig, plan: CorpusPlan, rows: Sequence[PartRows], space: Workspace) -> None:
    """The tokenizer that curate will bring too: a random base model's learns from generated rows and the sources'."""
    seed = space.context.seed
    texts: Iterator[str] = iter(())
    if config.base.kind == "random":
        _keep_sample(rows, space.out / CLEAN)
        items = read_benchmark_items(space.inputs["parts"] / BENCHMARKS)
        own = own_rows(config, generate(config.generated, seed), seed, items)
        texts = chain(map(text_of, own.traces), Corpus(config.sources, config.corpus, space.out, plan.parts).sample())
    bring_tokenizer(config.base, texts, seed, space.out / BASE)


def _keep_sample(rows: Sequence[PartRows], into: Path) -> None:
    """Rows of the first parts with traces, as many as a sample needs: curate draws it again."""
    count = 0
    for part in rows:
        if part.kind is Trace and count < SAMPLE:
            (into / part.folder.name).mkdir(parents=True)
            os.link(part.folder / ROWS, into / part.folder.name / ROWS)
            count += pq.read_metadata(part.folder / ROWS).num_rows
