"""From the log-probabilities of one token to the probability of one of two labels. Pure."""

import math
from collections.abc import Sequence

from hexad.records import Record


class TokenLogprob(Record):
    """One of the likeliest tokens at a position, in nats."""

    token: str
    logprob: float


def label_probability(listed: Sequence[TokenLogprob], label: str, other: str) -> float | None:
    """Softmax over two labels: P(label) / (P(label) + P(other)), each summed over its spellings among `listed`.

    Case and spaces around a token do not matter. The floor rule: a label that is not among the listed tokens gets the
    most that it can have, which is the least listed probability or, if less, what the listed ones leave of 1. None
    when neither label is listed: then the judge was not answering the question.
    """
    first, second = _sum(listed, label), _sum(listed, other)
    if first == 0.0 and second == 0.0:
        return None
    floor = _floor(listed)
    first, second = first or floor, second or floor
    return first / (first + second)


def _sum(listed: Sequence[TokenLogprob], label: str) -> float:
    return math.fsum(math.exp(t.logprob) for t in listed if t.token.strip().casefold() == label.casefold())


def _floor(listed: Sequence[TokenLogprob]) -> float:
    probabilities = [math.exp(t.logprob) for t in listed]
    return max(0.0, min(*probabilities, 1.0, 1.0 - math.fsum(probabilities)))
