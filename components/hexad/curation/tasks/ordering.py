"""Logic: put three people, or four or five, in order from pairwise comparisons."""

from itertools import pairwise
from random import Random

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold

_NAMES = ("Ann", "Bob", "Cy", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe")
_WORDS = (
    ("taller", "shorter", "height", "tallest"),
    ("older", "younger", "age", "oldest"),
    ("faster", "slower", "speed", "fastest"),
)


def make(rng: Random, hard: bool = False) -> Worked:
    order = rng.sample(_NAMES, rng.choice((4, 5) if hard else (3,)))
    more, less, what, most = rng.choice(_WORDS)
    pairs = list(pairwise(order))
    rng.shuffle(pairs)
    facts = [f"{a} is {more} than {b}." if rng.random() < 0.5 else f"{b} is {less} than {a}." for a, b in pairs]
    lines = [" ".join(f"{a}>{b}" for a, b in pairs), f"first {order[0]}"]
    lines += [f"{a}>{b}" for a, b in pairwise(order)]
    return Worked(
        task="ordering",
        domain="logic",
        source="hexad/ordering",
        revision="2",
        question=f"{' '.join(facts)} List them by {what}, {most} first.",
        plan="Write each fact the same way round, find who has nobody ahead, then follow the chain.",
        thinking="\n".join(lines),
        answer=", ".join(order),
        gold=Gold(value=list(order), type="list"),
    )
