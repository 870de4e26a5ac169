"""What the curate container does: questions and traces in, disjoint tokenized datasets out."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import chain

from transformers import AutoTokenizer

from hexad.curation.base_model import bring
from hexad.curation.card import card_json, card_markdown
from hexad.curation.config import CurateConfig
from hexad.curation.contamination import Decontaminator
from hexad.curation.dedupe import Deduper
from hexad.curation.generate import Generated, as_prompts, as_traces, generate
from hexad.curation.readers import read_source
from hexad.curation.reasoning_gym.draw import draw
from hexad.curation.splits import split_of
from hexad.curation.structure import check_trace
from hexad.curation.tokenize import pack, tokenize, write_packed
from hexad.grading import verify_gold
from hexad.records import Prompt, Reject, Trace
from hexad.records.layout import BASE, PROMPTS, REJECTS, TRACES, TRAIN_TOKENS, VALIDATION_TOKENS
from hexad.records.shards import write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree: base/ (model and tokenizer), tokens, traces, prompts per split, rejects, card.json."""
    return execute("curate", config, context, inputs, lambda space: _curate(config, space))


def _curate(config: CurateConfig, space: Workspace) -> Product:
    seed = space.context.seed
    made = generate(config.generated, seed)
    rejects: list[Reject] = list(made.duplicates)
    space.progress.update(0.3, "generated")
    traces, prompts = with_sources(config, made, seed, rejects)
    held_out = as_prompts(made.test, "test")
    traces, prompts, contamination = _decontaminate(traces, prompts, held_out, rejects)
    space.progress.update(0.5, "cleaned")

    base = bring(config.base, [_text(t) for t in traces], seed, space.out / BASE)
    tokenizer = AutoTokenizer.from_pretrained(space.out / BASE)
    validation = list(as_traces(made.validation, config.plan_share, seed + 1))
    rows, traces, too_long = tokenize(traces, tokenizer, config.max_tokens)
    validation_rows, _, validation_long = tokenize(validation, tokenizer, config.max_tokens)
    rejects += too_long + validation_long
    bins = pack(rows, config.pack_tokens)
    write_packed(space.out / TRAIN_TOKENS, bins)
    write_packed(space.out / VALIDATION_TOKENS, pack(validation_rows, config.pack_tokens))
    space.progress.update(0.8, "tokenized")

    splits = {"train": prompts, "validation": as_prompts(made.validation, "validation"), "test": held_out}
    write_rows(space.out / TRACES, traces, Trace)
    for split, rows_of_split in splits.items():
        write_rows(space.out / PROMPTS[split], rows_of_split, Prompt)
    write_rows(space.out / REJECTS, rejects, Reject)
    card = card_json(traces, splits, rejects, contamination, [len(r.ids) for r in rows], bins, config.pack_tokens)
    (space.out / "card.json").write_text(json.dumps(card, indent=1, sort_keys=True))
    sources = {t.source: t.revision for t in traces} | {p.source: p.revision for p in prompts}
    metrics = {
        "traces": float(len(traces)),
        "prompts": float(len(prompts)),
        "test": float(len(held_out)),
        "rejects": float(len(rejects)),
        "tokens": float(card["tokens"]["total"]),
    }
    return Product(metrics, card_markdown(card), dict(metrics), datasets=sources, base_model=base)


def with_sources(
    config: CurateConfig, made: Generated, seed: int, rejects: list[Reject]
) -> tuple[list[Trace], list[Prompt]]:
    """Our generated rows, reasoning-gym's and those of the sources, each question once, traces before prompts.

    A prompt whose gold the grader does not accept as an answer would pay nobody.
    """
    rows: list[Trace | Prompt] = [*as_traces(made.traces, config.plan_share, seed), *as_prompts(made.prompts, "train")]
    seen = Deduper()
    for row in chain(draw(config.generated.reasoning_gym, seed), *map(read_source, config.sources)):
        if isinstance(row, Reject):
            rejects.append(row)
        elif not seen.first(_question(row)):
            rejects.append(Reject(row=row.id, stage="dedupe", reason="duplicate question"))
        elif split_of(_question(row)) != "train":
            rejects.append(Reject(row=row.id, stage="split", reason="question falls into a held-out split"))
        elif isinstance(row, Prompt) and (refusal := verify_gold(row)):
            rejects.append(Reject(row=row.id, stage="gold", reason="gold not accepted as an answer", detail=refusal))
        else:
            rows.append(row)
    traces, prompts = [], []
    for row in rows:
        if isinstance(row, Prompt):
            prompts.append(row)
        elif reason := check_trace(row) if _is_solution(row) else None:
            rejects.append(Reject(row=row.id, stage="structure", reason=reason))
        else:
            traces.append(row)
    return traces, prompts


def _decontaminate(
    traces: list[Trace], prompts: list[Prompt], held_out: list[Prompt], rejects: list[Reject]
) -> tuple[list[Trace], list[Prompt], dict[str, dict[str, int]]]:
    """Rows whose question is not one of the benchmark's, and how many were."""
    judge = Decontaminator((p.id, p.prompt[-1].content) for p in held_out)
    hits: Counter[str] = Counter()

    def clean(row: Trace | Prompt) -> bool:
        hit = judge.check(_question(row))
        if hit is None:
            return True
        hits[hit.method] += 1
        rejects.append(
            Reject(row=row.id, stage="decontaminate", reason=f"benchmark question ({hit.method})", detail=hit.item)
        )
        return False

    kept_traces, kept_prompts = [t for t in traces if clean(t)], [p for p in prompts if clean(p)]
    found = {"held-out": {"exact": hits["exact"], "near": hits.total() - hits["exact"], "items": len(held_out)}}
    return kept_traces, kept_prompts, found


def _is_solution(row: Trace) -> bool:
    return not row.id.endswith("-plan")


def _question(row: Trace | Prompt) -> str:
    turns = row.messages if isinstance(row, Trace) else row.prompt
    return next((m.content for m in turns if m.role == "user"), "")


def _text(trace: Trace) -> str:
    return "\n".join(m.content for m in trace.messages)
