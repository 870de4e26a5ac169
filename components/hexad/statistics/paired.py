"""Means, paired differences and votes, with intervals that respect that samples of one question belong together.

Scores are arrays of shape (questions, samples) with values 0..1; NaN marks a sample without a verdict (an
infrastructure error), which is left out and never counted as wrong. The unit of resampling is the question:
k samples of one question are not k independent facts (Miller 2024, https://arxiv.org/abs/2411.00640).
Results do not depend on the order of questions: values are sorted before anything random touches them.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 2_000
FLIPS = 10_000
_Z95 = 1.959963984540054
_CHUNK = 2_000_000  # resampled values held in memory at once


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True)
class Difference:
    """Mean of per-question differences with its 95 % interval and a two-sided p-value."""

    delta: float
    low: float
    high: float
    p: float
    questions: int


def question_means(scores: Array) -> Array:
    """Mean per question, shape (questions,); NaN where a question has no verdict at all."""
    known = ~np.isnan(scores)
    counts = known.sum(axis=1)
    sums = np.where(known, scores, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def mean_interval(strata: Sequence[Array], seed: int) -> Estimate:
    """Cluster bootstrap (percentile) of the mean of question means.

    `strata` holds one array of question means (NaN left out) per benchmark; strata count equally. One stratum
    gives the micro average, one per domain the macro average. Raises ValueError when a stratum has no verdict.
    """
    values = [_known(stratum) for stratum in strata]
    mean, low, high = _interval(values, bounds=(0.0, 1.0), seed=seed)
    return Estimate(mean, low, high, sum(map(len, values)))


def paired_difference(before: Sequence[Array], after: Sequence[Array], seed: int) -> Difference:
    """`after` − `before`, paired by question: bootstrap interval, and p from a sign-flip permutation test.

    Both hold, per stratum, question means in the same order of questions; a question that lacks a verdict on
    either side is left out. p = (k + 1) / (flips + 1) is never 0 (Phipson & Smyth 2010).
    """
    values = [_known(b - a) for a, b in zip(before, after, strict=True)]
    delta, low, high = _interval(values, bounds=(-1.0, 1.0), seed=seed)
    shares = np.concatenate([stratum / (len(stratum) * len(values)) for stratum in values])
    return Difference(delta, low, high, _sign_flip_p(shares, seed), sum(map(len, values)))


def wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion; successes may be fractional (soft scores)."""
    if trials <= 0:
        raise ValueError(f"wilson_interval: trials is {trials}; it takes at least one")
    share, z2 = successes / trials, _Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Unbiased chance that at least one of k samples is right: 1 − C(n−c, k) / C(n, k) (Chen et al. 2021)."""
    if not 0 < k <= samples or not 0 <= correct <= samples:
        raise ValueError(f"pass_at_k: needs 0 < k <= samples, 0 <= correct <= samples; got {k=} {samples=} {correct=}")
    return 1.0 - math.comb(samples - correct, k) / math.comb(samples, k)


def majority_score(groups: Sequence[Hashable | None], scores: Sequence[float]) -> float:
    """Expected score of a majority vote over answer groups; tied groups are averaged, as if drawn at random.

    A group is a class of equivalent answers; None means no answer, which has no vote. Nobody votes: 0.
    """
    members: dict[Hashable, list[float]] = {}
    for group, score in zip(groups, scores, strict=True):
        if group is not None:
            members.setdefault(group, []).append(score)
    if not members:
        return 0.0
    largest = max(map(len, members.values()))
    winners = [sum(found) / len(found) for found in members.values() if len(found) == largest]
    return sum(winners) / len(winners)


def pair_accuracy(right: Sequence[float], wrong: Sequence[float]) -> tuple[float, int]:
    """(wins, pairs): pairs of a right and a wrong candidate that the verifier orders well; a tie is half a win."""
    good, bad = np.asarray(right, dtype=float)[:, None], np.asarray(wrong, dtype=float)[None, :]
    return float((good > bad).sum() + 0.5 * (good == bad).sum()), good.size * bad.size


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979)."""
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def _known(values: Array) -> Array:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        raise ValueError("no question has a verdict; grade at least one sample before averaging")
    return known


def _interval(strata: list[Array], bounds: tuple[float, float], seed: int) -> tuple[float, float, float]:
    mean = float(np.mean([stratum.mean() for stratum in strata]))
    if all(stratum[0] == stratum[-1] for stratum in strata):
        # Every question says the same, so a bootstrap would claim certainty. Wilson's bound on how many unseen
        # questions may differ (0 of n did), times how far they could, gives Wilson's own interval at 0 and 1.
        unseen = wilson_interval(0, sum(map(len, strata)))[1]
        return mean, mean - unseen * (mean - bounds[0]), mean + unseen * (bounds[1] - mean)
    rng = np.random.default_rng(seed)
    means = np.mean([_resampled_means(rng, stratum) for stratum in strata], axis=0)
    low, high = np.quantile(means, [0.025, 0.975])
    return mean, min(float(low), mean), max(float(high), mean)


def _resampled_means(rng: np.random.Generator, values: Array) -> Array:
    step = max(1, _CHUNK // len(values))
    draws = [
        values[rng.integers(0, len(values), size=(min(step, RESAMPLES - start), len(values)))].mean(axis=1)
        for start in range(0, RESAMPLES, step)
    ]
    return np.concatenate(draws)


def _sign_flip_p(shares: Array, seed: int) -> float:
    """Two-sided p that `shares` (each question's part of the mean) are symmetric around zero."""
    # Random signs on |d| have the same law as on d, and make p the same for a → b and b → a.
    sizes = np.sort(np.abs(shares[shares != 0]))
    if not len(sizes):
        return 1.0
    observed = abs(shares.sum()) - 1e-12  # sums of the same numbers in another order differ in the last bits
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // len(sizes))
    extreme = 0
    for start in range(0, FLIPS, step):
        signs = rng.integers(0, 2, size=(min(step, FLIPS - start), len(sizes)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ sizes) >= observed).sum())
    return (extreme + 1) / (FLIPS + 1)
