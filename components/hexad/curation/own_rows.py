"""The rows that Hexad makes itself: generated or drawn from reasoning-gym, and held against the benchmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hexad.curation.config import CurateConfig
from hexad.curation.corpus.clean import ContaminationHit
from hexad.curation.corpus.judges import judges_of
from hexad.curation.dedupe import Deduper
from hexad.curation.filters import question_of
from hexad.curation.generate import Generated, as_prompts, as_traces
from hexad.curation.reasoning_gym.draw import draw
from hexad.curation.splits import split_of
from hexad.curation.structure import check_trace
from hexad.grading import verify_gold
from hexad.records import Prompt, Reject, Trace


@dataclass(frozen=True)
class OwnRows:
    """Rows to train on, those that are not, and those of them that were a benchmark's item."""

    traces: list[Trace]
    prompts: list[Prompt]
    rejects: list[Reject]
    hits: list[ContaminationHit]


def own_rows(config: CurateConfig, made: Generated, seed: int, benchmarks: Mapping[str, Sequence[Prompt]]) -> OwnRows:
    """`made`: what `generate` gave for the config and the seed."""
    rejects = list(made.duplicates)
    traces, prompts = with_drawn(config, made, seed, rejects)
    traces, prompts, hits = decontaminated(traces, prompts, benchmarks, rejects)
    return OwnRows(traces, prompts, rejects, hits)


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


def decontaminated(
    traces: list[Trace], prompts: list[Prompt], benchmarks: Mapping[str, Sequence[Prompt]], rejects: list[Reject]
) -> tuple[list[Trace], list[Prompt], list[ContaminationHit]]:
    """Rows whose question is not one of a benchmark's, and each that is."""
    judges = judges_of(benchmarks)
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


def _is_solution(row: Trace) -> bool:
    return not row.id.endswith("-plan")
