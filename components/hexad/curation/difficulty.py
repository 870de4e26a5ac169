"""The step of curate that measures how hard its RL prompts are, and drops those that teach nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from hexad.curation.config import CurateConfig, PassRateConfig
from hexad.curation.filters import too_easy_or_hard
from hexad.curation.pass_rates import measure
from hexad.curation.rollout_log import RolloutLog
from hexad.engines import Engine, Sampling
from hexad.records import Prompt, Reject, Rollout
from hexad.records.shards import write_rows

KEY = "HEXAD_PASS_RATE_KEY"
"""Environment variable with the key of an endpoint that wants one."""

SHARD_PROMPTS = 4096  # of one file of rollouts: far below what one object of a store may hold

Prompts = Callable[[], Iterable[Prompt]]
"""The prompts from the start: they are read once to be sampled and once to be written, and never held."""


def by_difficulty(
    prompts: Prompts,
    config: CurateConfig,
    seed: int,
    base: Path,
    scratch: Path,
    out: Path,
    report: Callable[[int], None],
) -> Iterator[Prompt | Reject]:
    """The prompts with the model's pass rate, and a Reject for each that a rule of `corpus.filters` drops.

    `base`: folder of the base model, which is sampled where no endpoint is named. Rollouts wait in `scratch`, where a
    run that was killed finds them, and are written into `out` in the order of the prompts.
    """
    own = config.pass_rate
    sampling = Sampling(
        n=own.samples, temperature=own.temperature, top_p=own.top_p, max_tokens=own.max_tokens, seed=seed
    )
    engine, workers = _engine(own, base)
    with RolloutLog(scratch / "pass_rates.jsonl") as log:
        unknown = (prompt for prompt in prompts() if own.model not in prompt.difficulty)
        rates = measure(unknown, engine, sampling, log, workers, report)
        _write_rollouts((prompt.id for prompt in prompts()), log, out)
    for prompt in prompts():
        measured = {own.model: rates[prompt.id]} if prompt.id in rates else {}
        known = prompt.model_copy(update={"difficulty": {**prompt.difficulty, **measured}})
        yield too_easy_or_hard(known, config.corpus.filters) or known


def _engine(config: PassRateConfig, base: Path) -> tuple[Engine, int]:
    """The engine, and how many prompts it may be given at once."""
    if config.endpoint:
        from hexad.engines.http_engine import HttpEngine

        return HttpEngine(
            config.endpoint, config.model, os.environ.get(KEY), timeout_s=config.timeout_s
        ), config.workers
    from hexad.engines.transformers_engine import TransformersEngine

    return TransformersEngine.load(str(base)), 1  # it seeds the whole process


def _write_rollouts(prompts: Iterator[str], log: RolloutLog, folder: Path) -> None:
    folder.mkdir()
    sampled = (prompt for prompt in prompts if prompt in log)
    number = 0
    while some := list(islice(sampled, SHARD_PROMPTS)):
        rows = (row for prompt in some for row in log.read(prompt))
        write_rows(folder / f"{number:05d}.parquet", rows, Rollout)
        number += 1
