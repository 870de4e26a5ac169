"""Simulation: predict what a small loop prints."""

from random import Random

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold


def make(rng: Random, hard: bool = False) -> Worked:
    x, turns = rng.randint(1, 20), rng.randint(3, 5) if hard else rng.choice((2, 3))
    step, limit, back = rng.randint(2, 9), rng.randint(12, 30), rng.randint(2, 12)
    lines = [
        f"x = {x}",
        f"for i in range({turns}):",
        f"    x = x + {step}",
        f"    if x > {limit}:",
        f"        x = x - {back}",
        "print(x)",
    ]
    trace = []
    for i in range(turns):
        x += step
        if x > limit:
            trace.append(f"{i}: {x} > {limit} so {x - back}")
            x -= back
        else:
            trace.append(f"{i}: {x}")
    return Worked(
        task="loop_trace",
        domain="simulation",
        source="hexad/loop_trace",
        revision="2",
        question="What does this print?\n" + "\n".join(lines),
        plan="Go through the turns one by one; after each addition compare with the limit.",
        thinking="\n".join(trace),
        answer=str(x),
        gold=Gold(value=x, type="json"),
    )
