"""Many programs against their suites, whatever kind of suite it is."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hexad.grading import code, livecodebench
from hexad.grading.sandbox import SandboxError
from hexad.grading.verdicts import Outcome, failed
from hexad.records import Gold

Pair = tuple[Gold, str]


def run_suites(suites: Sequence[Pair]) -> list[Outcome]:
    """Outcomes of (gold, program), in order, at most one run a core at a time. Equal pairs run once."""
    unique: dict[str, Pair] = {f"{gold.model_dump_json()}\0{program}": (gold, program) for gold, program in suites}
    with ThreadPoolExecutor(max_workers=max(1, min(len(unique), os.cpu_count() or 1))) as threads:
        outcomes = dict(zip(unique, threads.map(_run, unique.values()), strict=True))
    return [outcomes[f"{gold.model_dump_json()}\0{program}"] for gold, program in suites]


def verify_suite(gold: Gold, type_: str) -> str | None:
    """Why a suite cannot judge anything, or None."""
    return livecodebench.verify(gold) if type_ == "livecodebench" else code.verify_suite(gold, type_)


def _run(pair: Pair) -> Outcome:
    gold, program = pair
    if gold.type != "livecodebench":
        return code.run_suite(gold, program)
    try:
        return livecodebench.run(gold, program)
    except (SandboxError, OSError) as error:
        return failed(f"sandbox: {error}")
