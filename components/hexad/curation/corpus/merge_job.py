"""Last task of the corpus pipeline: all shards as one tree, in the form that curate takes over, and their card."""

import json
from collections.abc import Mapping

from hexad.curation.benchmarks import overlap
from hexad.curation.card import Tally, card_json, card_markdown
from hexad.curation.config import CurateConfig
from hexad.curation.corpus.folders import hand_on
from hexad.curation.corpus.judges import read_benchmark_items
from hexad.curation.corpus.layout import BENCHMARKS, CLEAN, FINISHED
from hexad.curation.corpus.plan import read_plan, reading, write_plan
from hexad.curation.corpus.run import Corpus
from hexad.curation.tokenize import TokenFiles, pack
from hexad.stage import Context, Product, StageResult, Workspace, execute


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: plan.json, clean/ and finished/ of all parts, card.json. Inputs: parts, duplicates, finish-<shard> each."""
    own = reading(config)
    return execute("corpus", own, context, inputs, lambda space: _merge(own, space))


def _merge(config: CurateConfig, space: Workspace) -> Product:
    plan = read_plan(space.inputs["parts"])
    write_plan(space.out, plan)
    hand_on(space.inputs["duplicates"] / CLEAN, space.out / CLEAN)
    for shard in range(config.corpus.shards):
        for name in (CLEAN, FINISHED):
            hand_on(space.inputs[f"finish-{shard}"] / name, space.out / name)
    corpus = Corpus(config.sources, config.corpus, space.out, plan.parts)
    tally = _counted(corpus, config)
    items = read_benchmark_items(space.inputs["parts"] / BENCHMARKS)
    card = card_json(tally, overlap(items, corpus.hits()))
    (space.out / "card.json").write_text(json.dumps(card, indent=1, sort_keys=True))
    metrics = {
        "traces": float(tally.total("traces")),
        "prompts": float(tally.total("prompts (train)")),
        "rejects": float(tally.rejected),
        "tokens": float(card["tokens"]["total"]),
    }
    return Product(metrics, card_markdown(card), dict(metrics), datasets=tally.revisions())


def _counted(corpus: Corpus, config: CurateConfig) -> Tally:
    lengths = TokenFiles(corpus.tokens()).lengths
    licences = {source.id: source.licence for source in config.sources}
    tally = Tally(licences, lengths, len(pack(lengths, config.pack_tokens)), config.pack_tokens)
    for trace in corpus.traces():
        tally.keep("traces", trace)
    for prompt in corpus.prompts():
        tally.keep("prompts (train)", prompt)
    for reject in corpus.rejects():
        tally.reject(reject)
    return tally
