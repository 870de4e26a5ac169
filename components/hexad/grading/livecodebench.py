"""LiveCodeBench suites in two modes: `official`, whose verdicts are those of its own harness, and `honest`.

`official` rejects right programs: those that iterate over sys.stdin, read lines from its buffer, use `global`, or begin
with a __future__ import. `honest` gives the program a process of its own with a real
standard input, and compares numbers with a tolerance where the gold has a decimal point. Report both: the first
compares with published numbers, the second says what the model can do; `disagreements` lists where they part.

A gold of type `livecodebench`: value [[input, output], ...] as texts; options {"name": function to call, "mode"}. With
a name, each line of an input is one JSON argument and the output is JSON. One thing differs from the original in both
modes: a result that lies about its equality gains nothing. Programs may import numpy where it is installed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hexad.grading.code import decoded, ending, run_suite
from hexad.grading.sandbox import Limits, Run, run_code
from hexad.grading.verdicts import CORRECT, Outcome, failed, incorrect
from hexad.records import Gold

Mode = Literal["official", "honest"]
SECONDS = 6  # wall clock a test, as in the original
MEMORY = 4 << 30  # bytes
TOLERANCE = 1e-6  # relative or absolute, honest mode


@dataclass(frozen=True)
class Disagreement:
    """A program that the two modes judge differently."""

    row: str
    official: Outcome
    honest: Outcome


def verify(gold: Gold) -> str | None:
    """Why the suite cannot judge anything, or None."""
    tests = gold.value
    if not isinstance(tests, list) or not tests:
        return "the suite has no tests; drop the row"
    for number, test in enumerate(tests, 1):
        if not (isinstance(test, list) and len(test) == 2 and all(isinstance(text, str) for text in test)):
            return f"test {number} is no pair of texts"
    if gold.options.get("mode", "honest") not in ("official", "honest"):
        return f"options.mode is {gold.options['mode']!r}; write official or honest"
    return None


def run(gold: Gold, program: str, mode: Mode | None = None) -> Outcome:
    """Whether a program passes every test. `mode`: the gold's own, else honest."""
    broken = verify(gold)
    if broken:
        return failed(broken)
    chosen = mode or gold.options.get("mode", "honest")
    tests: list[list[str]] = gold.value  # type: ignore[assignment]
    name = gold.options.get("name")
    if chosen == "official":
        return _official(tests, program, str(name) if name else None)
    if not name:
        return _stdio(tests, program)
    try:
        cases: list[Any] = [[[json.loads(line) for line in i.split("\n")], json.loads(o)] for i, o in tests]
    except ValueError as error:
        return failed(f"a test of a function is no JSON: {error}; drop the row")
    limits = {"time_limit": SECONDS * len(cases), "memory_mb": MEMORY >> 20}
    return run_suite(Gold(value=cases, type="function", options={"name": name, **limits}), program)


def disagreements(rows: Sequence[tuple[str, Gold, str]]) -> list[Disagreement]:
    """`rows`: (id, gold, program). Both modes are run on each; those that end differently, in order."""
    both = [
        Disagreement(row, run(gold, program, "official"), run(gold, program, "honest")) for row, gold, program in rows
    ]
    return [found for found in both if found.official.status != found.honest.status]


def _stdio(tests: list[list[str]], program: str) -> Outcome:
    for number, (given, expected) in enumerate(tests, 1):
        decimals = any("." in token for token in expected.split())
        gold = Gold(
            value=[[given, expected]],
            type="stdio",
            options={
                "time_limit": SECONDS,
                "memory_mb": MEMORY >> 20,
                **({"tolerance": TOLERANCE} if decimals else {}),
            },
        )
        outcome = run_suite(gold, program)
        if outcome.status != "correct":
            return replace(outcome, reason=outcome.reason.replace("test 1 of 1", f"test {number} of {len(tests)}"))
    return CORRECT


def _official(tests: list[list[str]], program: str, name: str | None) -> Outcome:
    whole = (SECONDS + 1) * len(tests) + 5
    limits = Limits(cpu=whole, wall=2.0 * whole, memory=MEMORY, output=64 << 20)
    job = {"mode": "livecodebench", "code": program, "name": name, "inputs": [t[0] for t in tests], "seconds": SECONDS}
    done = run_code(job, limits=limits)
    for number, (_, expected) in enumerate(tests, 1):
        place = f"test {number} of {len(tests)}"
        message = done.results[number - 1] if number <= len(done.results) else None
        if not isinstance(message, list) or len(message) != 2:
            return incorrect(f"{place}: {_ended(done)}")
        if message[0] != "value":
            return incorrect(f"{place}: {str(message[1])[:200]}")
        if not _same(message[1], expected, name):
            return incorrect(f"{place}: another {'value' if name else 'output'}")
    return CORRECT


def _ended(done: Run) -> str:
    return ending(done) or "no result"


def _same(found: Any, expected: str, name: str | None) -> bool:
    if name is None:
        return isinstance(found, str) and official_output(expected, found)
    try:
        return bool(decoded(found, exact=True) == json.loads(expected))
    except (ValueError, TypeError, RecursionError):
        return False


def official_output(expected: str, printed: str) -> bool:
    """Lines without the blanks around them; where a line differs, its tokens must be equal as exact decimals."""
    left, right = ([line.strip() for line in text.strip().split("\n")] for text in (expected, printed))
    return len(left) == len(right) and all(map(_same_line, left, right))


def _same_line(expected: str, printed: str) -> bool:
    if expected == printed:
        return True
    try:
        return [Decimal(token) for token in expected.split()] == [Decimal(token) for token in printed.split()]
    except InvalidOperation:
        return False
