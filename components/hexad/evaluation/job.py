"""What the evaluate container does: one group of cells on every question, graded sample by sample."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hexad.deployment.bundle import TARGET, engine_of, policy_of, read_bundle, speculation_of
from hexad.deployment.settings import ENGINE_MODEL
from hexad.deployment.stack import engine, scaffold
from hexad.engines import Sampling
from hexad.engines.cores import usable_cores
from hexad.engines.http_engine import HttpEngine
from hexad.engines.vllm_server import EngineError
from hexad.evaluation.ask_gateway import Asked, ask_all
from hexad.evaluation.cells import alias_of
from hexad.evaluation.config import EvaluateConfig, Group, group_of
from hexad.evaluation.questions import read_held_out, read_items
from hexad.evaluation.summarise import Candidate, Selection
from hexad.grading import grade_many
from hexad.records import Bundle, Prompt, Rollout
from hexad.records.layout import BASE, MODEL
from hexad.records.shards import write_rows
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card

_MAX_ERROR_SHARE = 0.05


def run(config: EvaluateConfig, context: Context, inputs: Mapping[str, str], group: Group) -> StageResult:
    """Tree: <cell>.parquet (rollouts), <cell>.selections.jsonl for cells with several candidates."""
    return execute(f"evaluate-{group}", config, context, inputs, lambda space: _evaluate(config, group, space))


def _evaluate(config: EvaluateConfig, group: Group, space: Workspace) -> Product:
    cells = [cell for cell in config.cells if group_of(cell) == group]
    bundle = read_bundle(space.inputs["bundle"])
    if group == "speculative" and bundle.speculation is None:
        cells = []
    metrics = {"cells": float(len(cells))}
    if not cells:
        return Product(metrics, f"# Evaluate {group}\n\nNo cell of this group is evaluated.\n", {"group": group})
    data = space.inputs["data"]
    # Held-out questions first: seeds follow the order, so benchmarks change no score of theirs.
    prompts = [*read_held_out(data), *read_items(data, config.benchmarks)]
    if group in ("base", "sft"):
        folder = space.inputs["data"] / BASE if group == "base" else space.inputs["sft"] / MODEL
        metrics |= {group: _direct(config, group, folder, bundle, prompts, space)}
    else:
        metrics |= _through_gateway(config, cells, bundle, prompts, space)
    return Product(
        metrics, figures_card(f"Evaluate {group}", metrics, ("cell", "mean score")), {"group": group, **metrics}
    )


def _direct(
    config: EvaluateConfig, cell: str, folder: Path, bundle: Bundle, prompts: list[Prompt], space: Workspace
) -> float:
    """One sample a request from a bare engine: the cells before there is anything to serve."""
    models = space.scratch / "models"
    models.mkdir(parents=True, exist_ok=True)
    link = models / TARGET
    link.unlink(missing_ok=True)
    link.symlink_to(folder.resolve())
    with engine(models, engine_of(bundle), space.scratch / "engine.log", None, threads=_threads()) as server:
        report = _part(space, 0.3, 0.6)
        client = HttpEngine(
            server.base_url, ENGINE_MODEL, concurrency=config.concurrency, report=report, token_ids=True
        )
        sampling = Sampling(
            n=config.samples,
            temperature=config.temperature,
            top_p=config.top_p,
            max_tokens=config.max_tokens,
            seed=space.context.seed,
        )
        drawn = client.generate([p.prompt for p in prompts], sampling)
    asked = [
        Asked(
            prompt_id=p.id,
            sample=i,
            seed=sampling.seed,
            raw=c.text,
            finish_reason=c.finish_reason,
            tokens=c.tokens,
            scaffold={},
        )
        for p, row in zip(prompts, drawn, strict=True)
        for i, c in enumerate(row)
    ]
    return _write(cell, asked, prompts, space.out)


def _through_gateway(
    config: EvaluateConfig, cells: Sequence[str], bundle: Bundle, prompts: list[Prompt], space: Workspace
) -> dict[str, float]:
    models = space.inputs["bundle"]
    speculation = speculation_of(bundle) if cells[0].endswith("+spec") else None
    found: dict[str, float] = {}
    with (
        engine(models, engine_of(bundle), space.scratch / "engine.log", speculation, threads=_threads()) as server,
        scaffold(
            models,
            bundle.name,
            policy_of(bundle),
            server.base_url,
            space.scratch,
            max_tokens=config.max_tokens,
            verifier=any("bo" in cell for cell in cells),
        ) as gateway,
    ):
        for index, cell in enumerate(cells):
            report = _part(space, 0.2 + 0.75 * index / len(cells), 0.75 / len(cells))
            asked = ask_all(gateway.url, bundle.name + alias_of(cell), prompts, config, space.context.seed, report)
            found[cell] = _write(cell, asked, prompts, space.out)
            _write_selections(cell, asked, prompts, space.out)
    return found


def _threads() -> int:
    """Half of the cores: two groups are evaluated at a time, each with gateway and verifier beside its engine."""
    return max(1, usable_cores() // 2)


def _part(space: Workspace, start: float, share: float) -> Callable[[float, str], None]:
    """Progress of a part of the stage."""
    return lambda fraction, note: space.progress.update(start + share * fraction, note)


def check_errors(cell: str, asked: list[Asked]) -> None:
    """Raise EngineError when so many requests failed that the rest says little of the cell: a score would mislead."""
    failed = [a for a in asked if a.finish_reason == "error"]
    if len(failed) > _MAX_ERROR_SHARE * len(asked):
        first = failed[0].error or failed[0].raw
        raise EngineError(f"evaluate {cell}: {len(failed)} of {len(asked)} requests failed, the first with: {first}")


def _write(cell: str, asked: list[Asked], prompts: list[Prompt], out: Path) -> float:
    check_errors(cell, asked)
    by_id = {p.id: p for p in prompts}
    verdicts = grade_many((by_id[a.prompt_id], a.raw, a.finish_reason) for a in asked)
    rows = [
        Rollout(
            prompt_id=a.prompt_id,
            sample=a.sample,
            seed=a.seed,
            response=a.raw or a.error,
            tokens=a.tokens,
            verdict=v,
            finish_reason=a.finish_reason,
        )
        for a, v in zip(asked, verdicts, strict=True)
    ]
    write_rows(out / f"{cell}.parquet", rows, Rollout)
    scores = [v.score for v in verdicts if v.score is not None]
    return sum(scores) / max(1, len(scores))


def _write_selections(cell: str, asked: list[Asked], prompts: list[Prompt], out: Path) -> None:
    """What there was to choose from, graded candidate by candidate, for cells with more than one."""
    several = [a for a in asked if len(a.scaffold.get("candidates", ())) > 1]
    if not several:
        return
    by_id = {p.id: p for p in prompts}
    flat = [(by_id[a.prompt_id], c["raw"] or "", c["finish_reason"]) for a in several for c in a.scaffold["candidates"]]
    verdicts = iter(grade_many(flat))
    rows = [
        Selection(
            prompt_id=a.prompt_id,
            selected=a.scaffold["selected"],
            candidates=[
                Candidate(
                    group=None if c["answer"] is None else str(group),
                    verifier=c["score"] or 0.0,
                    score=next(verdicts).score,
                )
                for c, group in zip(a.scaffold["candidates"], a.scaffold["groups"], strict=True)
            ],
        )
        for a in several
    ]
    (out / f"{cell}.selections.jsonl").write_text("".join(row.model_dump_json() + "\n" for row in rows))
