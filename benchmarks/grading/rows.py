"""The rows that graders are compared on: the research tables, and generated LaTeX for speed."""

import json
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from random import Random

TABLES = Path(__file__).parents[2] / "tests" / "grading" / "data"
_BOMBS = {"69", "69b", "69c", "70", "70b", "70c"}


@dataclass(frozen=True)
class Row:
    """One response to a question with this gold. `policy`: right and wrong depend on a stated rule."""

    name: str
    gold: str
    response: str
    right: bool
    policy: bool = False
    bomb: bool = False


def table_rows() -> list[Row]:
    """Every mathematics row of the two tables, with what a grader should say."""
    rows = []
    for table in ("math_posttrain_6_2", "math_serve_eval_5_3"):
        for line in (TABLES / f"{table}.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            rows.append(
                Row(
                    name=f"{table.removeprefix('math_')} {case['row']}",
                    gold=str(case["gold"]),
                    response=case.get("response") or f"so \\boxed{{{case['answer']}}}",
                    right=case["expect"] == "correct",
                    policy="note" in case or bool(case.get("options")),
                    bomb=case["row"] in _BOMBS,
                )
            )
    return rows


def integer_rows(count: int, seed: int = 0) -> list[Row]:
    """Integers, half of them right, no two rows alike."""
    rng = Random(seed)
    rows = []
    for index in range(count):
        gold = rng.randrange(-(10**9), 10**9)
        right = index % 2 == 0
        answer = gold if right else gold + rng.randrange(1, 99)
        rows.append(Row("integer", str(gold), f"so \\boxed{{{answer}}}", right))
    return rows


def latex_rows(count: int, seed: int = 0) -> list[Row]:
    """Fractions, roots, tuples, sets, intervals, polynomials, powers: half right, spelled otherwise than the gold."""
    rng = Random(seed)
    shapes = (_fraction, _root, _surd, _tuple, _set, _interval, _square, _power, _mixed)
    rows = []
    for index in range(count):
        gold, same, other = shapes[index % len(shapes)](rng)
        right = rng.random() < 0.5
        rows.append(Row(shapes[index % len(shapes)].__name__, gold, f"so \\boxed{{{same if right else other}}}", right))
    return rows


Spelled = tuple[str, str, str]
"""(gold, the same otherwise spelled, something else)"""


def _fraction(rng: Random) -> Spelled:
    a, b, k = rng.randrange(1, 999), rng.randrange(2, 999), rng.randrange(2, 9)
    return f"\\frac{{{a}}}{{{b}}}", f"\\dfrac{{{a * k}}}{{{b * k}}}", f"\\frac{{{a + 1}}}{{{b}}}"


def _root(rng: Random) -> Spelled:
    a, b = rng.randrange(2, 99), rng.choice([n for n in range(2, 60) if isqrt(n) ** 2 != n])
    return f"{a}\\sqrt{{{b}}}", f"\\sqrt{{{a * a * b}}}", f"{a + 1}\\sqrt{{{b}}}"


def _surd(rng: Random) -> Spelled:
    a, b = rng.randrange(2, 99), rng.choice([3, 5, 7, 11, 13, 17, 19, 23])
    return (
        f"\\frac{{{a}}}{{\\sqrt{{{b}}}}}",
        f"\\frac{{{a}\\sqrt{{{b}}}}}{{{b}}}",
        f"\\frac{{{a}\\sqrt{{{b}}}}}{{{b + 1}}}",
    )


def _tuple(rng: Random) -> Spelled:
    a, b = rng.sample(range(-99, 99), 2)
    return f"({a}, {b})", f"\\left({a},{b}\\right)", f"({b}, {a})"


def _set(rng: Random) -> Spelled:
    a, b, c = rng.sample(range(99), 3)
    return f"\\{{{a}, {b}, {c}\\}}", f"\\{{{c}, {a}, {b}\\}}", f"\\{{{a}, {b}\\}}"


def _interval(rng: Random) -> Spelled:
    a, b = sorted(rng.sample(range(-99, 99), 2))
    return f"[{a}, {b})", f"\\left[{a},{b}\\right)", f"({a}, {b}]"


def _square(rng: Random) -> Spelled:
    a = rng.randrange(1, 99)
    return f"x^2+{2 * a}x+{a * a}", f"(x+{a})^2", f"(x+{a + 1})^2"


def _power(rng: Random) -> Spelled:
    a, n = rng.randrange(2, 9), rng.randrange(3, 12)
    return f"{a}^{{{n}}}", f"{a**n:,}", str(a**n + 1)


def _mixed(rng: Random) -> Spelled:
    a, b = rng.randrange(2, 999), rng.randrange(3, 99)
    return f"{a}\\frac{{1}}{{{b}}}", f"\\frac{{{a * b + 1}}}{{{b}}}", f"\\frac{{{a}}}{{{b}}}"
