"""What the curate container does: questions and traces in, disjoint tokenized datasets out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hexad.curation.base_model import bring
from hexad.curation.benchmarks import HELD_OUT, dated_hits, overlap, published_items, read_benchmarks, subsets
from hexad.curation.card import Tally, card_json, card_markdown
from hexad.curation.config import CurateConfig
from hexad.curation.corpus.adopt import adopt
from hexad.curation.corpus.clean import ContaminationHit
from hexad.curation.corpus.run import open_corpus, text_of
from hexad.curation.difficulty import by_difficulty
from hexad.curation.generate import as_prompts, as_traces, generate
from hexad.curation.own_rows import own_rows
from hexad.curation.readers.remote import localise
from hexad.curation.tokenize import TokenFile, TokenFiles, Tokenized, pack, tokenize, write_packed
from hexad.records import Prompt, Reject, Trace
from hexad.records.layout import (
    BASE,
    BENCHMARK_ITEMS,
    BENCHMARKS,
    CONTAMINATION,
    PASS_RATES,
    PROMPTS,
    REJECTS,
    TRACES,
    TRAIN_TOKENS,
    VALIDATION_TOKENS,
)
from hexad.records.shards import RowWriter, write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: base/ (model and tokenizer), tokens, traces, prompts per split, benchmark items and subsets, rejects, hits,
    card.json; pass_rates/ where difficulty was measured."""
    return execute("curate", config, context, inputs, lambda space: _curate(config, space))


def _curate(config: CurateConfig, space: Workspace) -> Product:
    seed = space.context.seed
    made = generate(config.generated, seed)
    space.progress.update(0.1, "generated")
    scratch = space.scratch / "benchmarks"
    benchmarks, unread = read_benchmarks(as_prompts(made.test, "test"), config.corpus.benchmarks, scratch)
    write_rows(space.out / BENCHMARK_ITEMS, published_items(benchmarks), Prompt)
    own = own_rows(config, made, seed, benchmarks)
    rejects = [*own.rejects, *unread]
    hits = [*own.hits, *(h for name, items in benchmarks.items() for h in dated_hits(name, items, config.sources))]

    def progress(done: float, note: str) -> None:
        space.progress.update(0.1 + 0.7 * done, note)

    if config.corpus.tree:
        corpus, adopted = adopt(config, seed, benchmarks, space.scratch / "corpus")
    else:
        sources = [localise(source, space.scratch / "sources" / str(n)) for n, source in enumerate(config.sources)]
        corpus, adopted = open_corpus(sources, config.corpus, space.scratch / "corpus"), {}
        corpus.clean(benchmarks, progress)
    base = bring(config.base, chain(map(text_of, own.traces), corpus.sample()), seed, space.out / BASE)
    tokenizer = AutoTokenizer.from_pretrained(space.out / BASE)
    if not config.corpus.tree:
        corpus.finish(space.out / BASE, config.max_tokens, progress)
    generated = TokenFile(space.scratch / "generated.bin")
    traces = _tokenize(own.traces, tokenizer, config.max_tokens, generated, rejects)
    held_out = TokenFile(space.scratch / "validation.bin")
    _tokenize(as_traces(made.validation, config.plan_share, seed + 1), tokenizer, config.max_tokens, held_out, rejects)
    tokens = TokenFiles([generated, *corpus.tokens()])
    rows = pack(tokens.lengths, config.pack_tokens)
    write_packed(space.out / TRAIN_TOKENS, rows, tokens)
    validation = TokenFiles([held_out])
    write_packed(space.out / VALIDATION_TOKENS, pack(validation.lengths, config.pack_tokens), validation)
    space.progress.update(0.9, "tokenized")

    def untrained() -> Iterator[Prompt]:
        return chain(own.prompts, corpus.prompts())

    trained: Iterator[Prompt | Reject] = untrained()
    if config.pass_rate.model:
        trained = by_difficulty(untrained, config, seed, space.out / BASE, space.scratch, space.out / PASS_RATES,
                                lambda done: space.progress.update(0.9, f"sampled {done} prompts"))  # fmt: skip

    hits += corpus.hits()
    write_rows(space.out / CONTAMINATION, hits, ContaminationHit)
    split = {name: one.model_dump() for name, one in subsets(benchmarks, hits).items()}
    (space.out / BENCHMARKS).write_text(json.dumps(split, indent=1, sort_keys=True))
    tally = Tally(
        {source.id: source.licence for source in config.sources}, tokens.lengths, len(rows), config.pack_tokens
    )
    _write_rows(space, tally, chain(traces, corpus.traces()), {
        "train": _kept(trained, rejects),
        "validation": as_prompts(made.validation, "validation"),
        "test": benchmarks[HELD_OUT],
    }, chain(rejects, corpus.rejects()))  # fmt: skip
    card = card_json(tally, overlap(benchmarks, hits))
    (space.out / "card.json").write_text(json.dumps(card, indent=1, sort_keys=True))
    metrics = {
        "traces": float(tally.total("traces")),
        "prompts": float(tally.total("prompts (train)")),
        "test": float(tally.total("prompts (test)")),
        "rejects": float(tally.rejected),
        "tokens": float(card["tokens"]["total"]),
    }
    return Product(metrics, card_markdown(card), dict(metrics), datasets=tally.revisions() | adopted, base_model=base)


def _tokenize(
    traces: Iterable[Trace],
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    into: TokenFile,
    rejects: list[Reject],
) -> list[Trace]:
    """The traces with their lengths; their tokens go into the file."""
    kept: list[Trace] = []

    def rows() -> Iterator[Tokenized]:
        for found in tokenize(traces, tokenizer, max_tokens):
            if isinstance(found, Reject):
                rejects.append(found)
            else:
                kept.append(found[1])
                yield found[0]

    into.write(rows())
    return kept


def _kept(rows: Iterable[Prompt | Reject], rejects: list[Reject]) -> Iterator[Prompt]:
    """The prompts; rejects are appended as they come."""
    for row in rows:
        if isinstance(row, Reject):
            rejects.append(row)
        else:
            yield row


def _write_rows(
    space: Workspace,
    tally: Tally,
    traces: Iterable[Trace],
    prompts: Mapping[str, Iterable[Prompt]],
    rejects: Iterable[Reject],
) -> None:
    with RowWriter(space.out / TRACES, Trace) as writer:
        for trace in traces:
            writer.write(trace)
            tally.keep("traces", trace)
    for split, rows in prompts.items():
        with RowWriter(space.out / PROMPTS[split], Prompt) as writer:
            for prompt in rows:
                writer.write(prompt)
                tally.keep(f"prompts ({split})", prompt)
    with RowWriter(space.out / REJECTS, Reject) as writer:
        for reject in rejects:
            writer.write(reject)
            tally.reject(reject)
