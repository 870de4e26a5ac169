"""What the curate container does: questions and traces in, disjoint tokenized datasets out."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hexad.curation.base_model import bring
from hexad.curation.benchmarks import HELD_OUT, dated_hits, overlap, published_items, read_benchmark, subsets
from hexad.curation.card import Tally, card_json, card_markdown
from hexad.curation.config import CurateConfig
from hexad.curation.contamination import Decontaminator
from hexad.curation.corpus.clean import ContaminationHit
from hexad.curation.corpus.run import open_corpus
from hexad.curation.dedupe import Deduper
from hexad.curation.filters import question_of
from hexad.curation.generate import Generated, as_prompts, as_traces, generate
from hexad.curation.readers.remote import localise
from hexad.curation.reasoning_gym.draw import draw
from hexad.curation.splits import split_of
from hexad.curation.structure import check_trace
from hexad.curation.tokenize import TokenFile, TokenFiles, Tokenized, pack, tokenize, write_packed
from hexad.grading import verify_gold
from hexad.records import Prompt, Reject, Trace
from hexad.records.layout import (
    BASE,
    BENCHMARK_ITEMS,
    BENCHMARKS,
    CONTAMINATION,
    PROMPTS,
    REJECTS,
    TRACES,
    TRAIN_TOKENS,
    VALIDATION_TOKENS,
)
from hexad.records.shards import RowWriter, write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute

TOKENIZER_SAMPLE = 20_000  # traces of the sources that the tokenizer of a random base learns from


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: base/ (model and tokenizer), tokens, traces, prompts per split, benchmark items and subsets, rejects, hits,
    card.json."""
    return execute("curate", config, context, inputs, lambda space: _curate(config, space))


def _curate(config: CurateConfig, space: Workspace) -> Product:
    seed = space.context.seed
    made = generate(config.generated, seed)
    rejects: list[Reject] = list(made.duplicates)
    space.progress.update(0.1, "generated")
    traces, prompts = with_drawn(config, made, seed, rejects)
    benchmarks = {HELD_OUT: as_prompts(made.test, "test")}
    for one in config.corpus.benchmarks:
        local = localise(one.source, space.scratch / "benchmarks" / one.name)
        benchmarks[one.name], unread = read_benchmark(one.name, local)
        rejects += unread
    write_rows(space.out / BENCHMARK_ITEMS, published_items(benchmarks), Prompt)
    traces, prompts, hits = _decontaminate(traces, prompts, benchmarks, rejects)
    hits += (hit for name, items in benchmarks.items() for hit in dated_hits(name, items, config.sources))
    sources = [localise(source, space.scratch / "sources" / str(n)) for n, source in enumerate(config.sources)]
    corpus = open_corpus(sources, config.corpus, space.scratch / "corpus")
    corpus.clean(benchmarks, lambda done, note: space.progress.update(0.1 + 0.7 * done, note))

    texts = chain(map(_text, traces), islice(corpus.cleaned_texts(), TOKENIZER_SAMPLE))
    base = bring(config.base, texts, seed, space.out / BASE)
    tokenizer = AutoTokenizer.from_pretrained(space.out / BASE)
    corpus.finish(space.out / BASE, config.max_tokens, lambda done, note: space.progress.update(0.1 + 0.7 * done, note))
    own = TokenFile(space.scratch / "generated.bin")
    traces = _tokenize(traces, tokenizer, config.max_tokens, own, rejects)
    held_out = TokenFile(space.scratch / "validation.bin")
    _tokenize(as_traces(made.validation, config.plan_share, seed + 1), tokenizer, config.max_tokens, held_out, rejects)
    tokens = TokenFiles([own, *corpus.tokens()])
    rows = pack(tokens.lengths, config.pack_tokens)
    write_packed(space.out / TRAIN_TOKENS, rows, tokens)
    validation = TokenFiles([held_out])
    write_packed(space.out / VALIDATION_TOKENS, pack(validation.lengths, config.pack_tokens), validation)
    space.progress.update(0.9, "tokenized")

    hits += corpus.hits()
    write_rows(space.out / CONTAMINATION, hits, ContaminationHit)
    split = {name: one.model_dump() for name, one in subsets(benchmarks, hits).items()}
    (space.out / BENCHMARKS).write_text(json.dumps(split, indent=1, sort_keys=True))
    tally = Tally(
        {source.id: source.licence for source in config.sources}, tokens.lengths, len(rows), config.pack_tokens
    )
    _write_rows(space, tally, chain(traces, corpus.traces()), {
        "train": chain(prompts, corpus.prompts()),
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
    return Product(metrics, card_markdown(card), dict(metrics), datasets=tally.revisions(), base_model=base)


def with_drawn(
    config: CurateConfig, made: Generated, seed: int, rejects: list[Reject]
) -> tuple[list[Trace], list[Prompt]]:
    """Our generated rows and reasoning-gym's, each question of those once.

    A prompt whose gold the grader does not accept as an answer would pay nobody.
    """
    traces: list[Trace] = []
    prompts = as_prompts(made.prompts, "train")
    seen = Deduper()
    for row in draw(config.generated.reasoning_gym, seed):
        if isinstance(row, Reject):
            rejects.append(row)
        elif not seen.first(question_of(row)):
            rejects.append(Reject(row=row.id, stage="dedupe", reason="duplicate question"))
        elif split_of(question_of(row)) != "train":
            rejects.append(Reject(row=row.id, stage="split", reason="question falls into a held-out split"))
        elif refusal := verify_gold(row):
            rejects.append(Reject(row=row.id, stage="gold", reason="gold not accepted as an answer", detail=refusal))
        else:
            prompts.append(row)
    for trace in as_traces(made.traces, config.plan_share, seed):
        if reason := check_trace(trace) if _is_solution(trace) else None:
            rejects.append(Reject(row=trace.id, stage="structure", reason=reason))
        else:
            traces.append(trace)
    return traces, prompts


def _decontaminate(
    traces: list[Trace], prompts: list[Prompt], benchmarks: Mapping[str, Sequence[Prompt]], rejects: list[Reject]
) -> tuple[list[Trace], list[Prompt], list[ContaminationHit]]:
    """Rows whose question is not one of a benchmark's, and each that is."""
    judges = {
        name: Decontaminator((item.id, question_of(item)) for item in items) for name, items in benchmarks.items()
    }
    hits: list[ContaminationHit] = []

    def clean(row: Trace | Prompt) -> bool:
        found = [
            ContaminationHit(benchmark=name, row=row.id, **hit.model_dump())
            for name, judge in judges.items()
            for hit in judge.hits(question_of(row))
        ]
        hits.extend(found)
        rejects.extend(
            Reject(row=row.id, stage="decontaminate", reason=f"benchmark question ({one.method})", detail=one.item)
            for one in found[:1]
        )
        return not found

    return [t for t in traces if clean(t)], [p for p in prompts if clean(p)], hits


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


def _is_solution(row: Trace) -> bool:
    return not row.id.endswith("-plan")


def _text(trace: Trace) -> str:
    return "\n".join(m.content for m in trace.messages)
