"""Speculation may change the speed, never the answers: a paired test at temperature 0 and 1 before it is served.

Greedy outputs may differ where two tokens tie within float error, so equality is asked of nearly all of them, and the
scores of the rest are compared. At temperature 1 the two engines draw different samples, so scores are paired by
question: speculation passes unless the scores could be worse by more than the tolerance, or differ beyond chance.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hexad.engines import Completion, Engine, Sampling
from hexad.grading import grade_many
from hexad.records import Prompt
from hexad.statistics import paired_difference

_EQUAL_SHARE = 0.95
_P_REFUSED = 0.01

Draw = tuple[list[list[Completion]], float]


def compare(
    plain: Engine,
    speculative: Engine,
    prompts: Sequence[Prompt],
    samples: int,
    tolerance: float,
    max_tokens: int,
    seed: int,
    report: Callable[[float, str], None],
) -> dict[str, Any]:
    """`lossless.json`: one entry per temperature, the seconds of both engines on the same work, and `lossless`."""
    entries, seconds = [], {"plain": 0.0, "speculative": 0.0}
    for index, (temperature, count) in enumerate(((0.0, 1), (1.0, samples))):
        sampling = Sampling(n=count, temperature=temperature, max_tokens=max_tokens, seed=seed)
        report(index / 2, f"temperature {temperature:g}")
        first = _timed(plain, prompts, sampling)
        second = _timed(speculative, prompts, sampling)
        seconds["plain"] += first[1]
        seconds["speculative"] += second[1]
        entries.append(_entry(temperature, prompts, first[0], second[0], tolerance, seed))
    return {
        "temperatures": entries,
        "lossless": all(entry["passed"] for entry in entries),
        "seconds_plain": seconds["plain"],
        "seconds_speculative": seconds["speculative"],
        "speedup": seconds["plain"] / seconds["speculative"],
    }


def _timed(engine: Engine, prompts: Sequence[Prompt], sampling: Sampling) -> Draw:
    started = time.monotonic()
    drawn = engine.generate([p.prompt for p in prompts], sampling)
    return drawn, time.monotonic() - started


def _entry(
    temperature: float,
    prompts: Sequence[Prompt],
    plain: list[list[Completion]],
    speculative: list[list[Completion]],
    tolerance: float,
    seed: int,
) -> dict[str, Any]:
    # What only the speculative engine fails to answer is lost, not unknown: it counts as wrong.
    before, after = _means(prompts, plain, failed=None), _means(prompts, speculative, failed=0.0)
    found = paired_difference([before], [after], seed)
    entry: dict[str, Any] = {
        "temperature": temperature,
        "prompts": len(prompts),
        "plain": float(np.nanmean(before)),
        "speculative": float(np.nanmean(after)),
        "delta": found.delta,
        "ci95": [found.low, found.high],
        "p": found.p,
    }
    passed = found.low > -tolerance or (found.delta == 0)
    if temperature == 0:
        entry["equal"] = float(np.mean([a[0].text == b[0].text for a, b in zip(plain, speculative, strict=True)]))
        passed = passed and entry["equal"] >= _EQUAL_SHARE
    else:
        passed = passed and found.p >= _P_REFUSED
    return entry | {"passed": bool(passed)}


def _means(prompts: Sequence[Prompt], drawn: list[list[Completion]], failed: float | None) -> np.ndarray:
    """Mean score per prompt, NaN where nothing could be graded. `failed`: score of a request that the engine failed."""
    verdicts = iter(
        grade_many(
            (p, c.text, c.finish_reason)
            for p, row in zip(prompts, drawn, strict=True)
            for c in row
            if c.finish_reason != "error"
        )
    )
    means = []
    for row in drawn:
        found = (failed if c.finish_reason == "error" else next(verdicts).score for c in row)
        scores = [score for score in found if score is not None]
        means.append(float(np.mean(scores)) if scores else float("nan"))
    return np.array(means)
