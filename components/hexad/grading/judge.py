"""One answer text against one gold, by the gold's type. Code is judged elsewhere: it has to run first."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import math
from fractions import Fraction
from typing import Any

from pydantic import JsonValue

from hexad.grading.choice import read_choice
from hexad.grading.compare_math import Numeric
from hexad.grading.exact import NoValue
from hexad.grading.literal import LiteralError, last_literal, read_literal
from hexad.grading.logic import judge_grid, judge_list, judge_table
from hexad.grading.math_answers import TYPES as MATH_TYPES
from hexad.grading.math_answers import judge_math
from hexad.grading.plain_text import unwrap, words
from hexad.grading.quantities import equal_quantity, plain_integer, read_number
from hexad.grading.units import canonical_unit
from hexad.grading.values import equal_values
from hexad.grading.verdicts import CORRECT, Outcome, failed, incorrect, matched

CODE_TYPES = frozenset({"function", "stdio", "asserts", "livecodebench"})
TYPES = MATH_TYPES | CODE_TYPES | {"choice", "text", "list", "json", "grid", "table", "number", "quantity"}
_PERCENT = {"%", "percent", "percentage"}

Options = dict[str, JsonValue]


def judge(type_: str, gold: JsonValue, options: Options, answer: str, numeric: Numeric | None = None) -> Outcome:
    """The outcome for an extracted answer. Raises NeedsNumeric when `numeric` is None and only it can decide."""
    if type_ == "choice":
        return _choice(gold, options, answer)
    if type_ == "text":
        return _text(gold, options, answer)
    if type_ == "json":
        return _json(gold, answer, _tolerance(options))
    if type_ == "list":
        items = gold.split("|") if isinstance(gold, str) else gold
        return judge_list(items if isinstance(items, list) else [items], answer, _ordered(gold, options))
    if type_ in {"grid", "table"}:
        return _puzzle(type_, gold, answer)
    if type_ in {"number", "quantity"}:
        return _quantity(type_, gold, options, answer)
    if type_ in MATH_TYPES:
        return _math(type_, gold, options, answer, numeric)
    return failed(f"gold type {type_!r} is unknown; use one of {', '.join(sorted(TYPES))}")


def _ordered(gold: JsonValue, options: Options) -> bool:
    """A list's order counts unless said otherwise; "a|b", as HiTab writes answers, has none."""
    return bool(options.get("ordered", not isinstance(gold, str)))


def _tolerance(options: Options) -> float:
    value = options.get("tolerance", 0.0)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0


def _choice(gold: JsonValue, options: Options, answer: str) -> Outcome:
    choices = options.get("choices")
    texts = [str(c) for c in choices] if isinstance(choices, list) else []
    wanted = read_choice(str(gold), texts)
    if wanted is None:
        return failed(f"the gold {gold!r} is no option letter; mend the row")
    chosen = read_choice(answer, texts)
    if chosen is None:
        return incorrect("not exactly one option")
    return matched(chosen == wanted, f"chose {chosen}")


def _text(gold: JsonValue, options: Options, answer: str) -> Outcome:
    aliases = options.get("aliases")
    wanted = {words(str(gold)), *(words(str(a)) for a in (aliases if isinstance(aliases, list) else []))} - {""}
    if not wanted:
        return failed("the gold is an empty text; drop the row")
    return matched(words(answer) in wanted, "another text")


def _json(gold: JsonValue, answer: str, tolerance: float) -> Outcome:
    text = answer.strip()
    try:
        value = read_literal(text)
    except LiteralError:
        if isinstance(gold, str):  # a string may be given bare, unless it reads as another value
            return matched(unwrap(text) == gold or text == gold, "another string")
        try:
            value = last_literal(text)
        except LiteralError as error:
            return incorrect(f"no JSON value: {error}")
    return matched(equal_values(gold, value, tolerance), "another value")


def _puzzle(type_: str, gold: JsonValue, answer: str) -> Outcome:
    if type_ == "grid" and isinstance(gold, list) and all(isinstance(row, list) for row in gold):
        rows: list[Any] = gold
        return judge_grid(rows, answer)
    if type_ == "table" and isinstance(gold, dict):
        return judge_table(gold, answer)
    return failed(f"a gold of type {type_!r} is a {'list of rows' if type_ == 'grid' else 'JSON object'}; mend the row")


def _quantity(type_: str, gold: JsonValue, options: Options, answer: str) -> Outcome:
    scales = type_ == "number"
    if isinstance(gold, int) and not isinstance(gold, bool):
        fast = plain_integer(answer)
        if fast is not None and not options:
            return CORRECT if fast == gold else incorrect("another number")
    asked = options.get("unit")
    unit = asked if isinstance(asked, str) and asked else None
    percent = unit in _PERCENT
    wanted = read_number(str(gold), scales)
    if wanted is None:
        return failed(f"the gold {gold!r} is no number; use type 'text' or mend the row")
    number = answer.rstrip().rstrip("%").rstrip("\\") if percent else answer
    found = read_number(number, scales, canonical_unit(unit) if unit else None)
    if found is None:
        return incorrect("not a single number")
    reason = equal_quantity(
        wanted[0],
        None if percent else unit or wanted[1],
        found,
        Fraction(_tolerance(options)).limit_denominator(10**12),
    )
    return matched(reason is None, reason or "")


def _math(type_: str, gold: JsonValue, options: Options, answer: str, numeric: Numeric | None) -> Outcome:
    if isinstance(gold, int) and not isinstance(gold, bool):
        fast = plain_integer(answer)
        if fast is not None:
            return CORRECT if fast == gold else incorrect("another number")
    if isinstance(gold, (dict, bool)) or gold is None:
        return failed(f"the gold {gold!r} is no mathematics; mend the row")
    text = ", ".join(map(str, gold)) if isinstance(gold, list) else str(gold)
    if type_ == "tuple" and isinstance(gold, list):
        text = f"({text})"
    try:
        return judge_math(text, type_, options, answer, numeric)
    except NoValue as error:
        return incorrect(str(error))
