"""The math domain: an answer text against a gold text."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import re
from functools import lru_cache

from pydantic import JsonValue

from hexad.grading.compare_math import Comparison, Numeric
from hexad.grading.exact import NoValue, rational
from hexad.grading.parse_math import MAX_DEPTH, Node, parse
from hexad.grading.plain_text import unwrap, words
from hexad.grading.quantities import plain_integer
from hexad.grading.tokens import MAX_LENGTH, MathSyntaxError
from hexad.grading.units import factor, split_unit
from hexad.grading.verdicts import CORRECT, Outcome, failed, incorrect, matched

TYPES = frozenset(
    {"integer", "rational", "decimal", "expression", "equation", "interval", "tuple", "set", "matrix", "math"}
)
_PERCENT = {"%", "percent", "percentage"}


def judge_math(gold: str, type_: str, options: dict[str, JsonValue], answer: str, numeric: Numeric | None) -> Outcome:
    """Raises NeedsNumeric when `numeric` is None and exact arithmetic cannot decide."""
    left, right = plain_integer(gold), plain_integer(answer)
    if left is not None and right is not None:
        return CORRECT if left == right else incorrect("another number")
    if not gold.strip():
        return failed("the gold is empty; drop the row")
    if is_wordy(gold):
        return matched(words(gold) == words(answer), "another text")
    clock = _clock(gold)
    if clock and _clock(answer):
        return matched(_same_time(clock, _clock(answer)), "another time")
    try:
        gold_node, gold_unit = read_answer(gold)
    except MathSyntaxError as error:
        same = words(gold) == words(answer)
        return matched(same, f"another text (the gold is no mathematics: {error})")
    if undefined(gold_node):
        return failed(f"the gold {gold!r} has no value; drop the row")
    try:
        node, unit = read_answer(answer, plain_units=not _symbolic(gold_node))
    except MathSyntaxError as error:
        return incorrect(f"not read as mathematics: {error}")
    asked = options.get("unit")
    if isinstance(asked, str) and asked in _PERCENT:
        gold_node, node = _bare(gold_node), _bare(node)
    if gold_unit and unit:
        scale = factor(unit, gold_unit)
        if scale is None:
            return incorrect(f"unit {unit!r} where the gold has {gold_unit!r}")
        if scale != 1:
            node = ("*", node, ("/", ("num", str(scale.numerator)), ("num", str(scale.denominator))))
    comparison = Comparison(numeric, ordered=bool(options.get("ordered")) or type_ == "tuple")
    return matched(comparison.equal(gold_node, node), "not equal to the gold")


@lru_cache(maxsize=4096)
def read_answer(text: str, plain_units: bool = True) -> tuple[Node, str | None]:
    """(tree, unit). Raises MathSyntaxError."""
    if len(text) > MAX_LENGTH:
        raise MathSyntaxError(f"{len(text)} characters; at most {MAX_LENGTH} are read")
    if _no_solution(unwrap(text)):
        return ("empty",), None
    text = unwrap(text) if "\\text" not in text else _outer(text)
    text = text.rstrip(" .") if not text.endswith("..") else text
    body, unit = split_unit(text)
    node = parse(body)
    if unit and _symbolic(node):
        return parse(text), None
    if unit and not plain_units:
        body, unit = split_unit(text, plain=False)
        node = parse(body)
    return node, unit


_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([ap])\.?\s?m\.?)?", re.IGNORECASE)


def _clock(text: str) -> tuple[str, ...] | None:
    """(hours, minutes, seconds, a or p or nothing) of a time such as 2:30 PM."""
    match = _CLOCK.fullmatch(unwrap(text).replace("~", " "))
    return None if match is None else tuple((part or "").casefold().lstrip("0") for part in match.groups())


def _same_time(gold: tuple[str, ...], answer: tuple[str, ...] | None) -> bool:
    """Equal digits, and the same half of the day where both name one."""
    return answer is not None and gold[:3] == answer[:3] and ("" in (gold[3], answer[3]) or gold[3] == answer[3])


def _outer(text: str) -> str:
    """Unwrapped only where the whole answer is one \\text{}: inside, it may be a unit or a word between numbers."""
    inner = text.strip().strip("$").strip()
    for command in ("\\text{", "\\textbf{", "\\mathrm{", "\\mathbf{"):
        if inner.startswith(command) and inner.endswith("}") and inner.count("{") == 1:
            return inner[len(command) : -1].strip()
    return inner


def is_wordy(text: str) -> bool:
    """Letters only, two or more and no function name: a word, whose letters are no symbols to multiply."""
    plain = unwrap(text)
    letters = plain.replace(" ", "").replace("-", "").replace("'", "")
    return (
        len(letters) >= 2
        and letters.isalpha()
        and letters.casefold() not in {"pi", "infty", "infinity"}
        and not (_no_solution(plain))
    )


def _no_solution(text: str) -> bool:
    return text.casefold().strip(" .") in {
        "no solution",
        "no solutions",
        "no real solution",
        "no real solutions",
        "empty set",
    }


def undefined(node: Node) -> bool:
    """Whether a division by zero (or an out-of-range factorial) stands anywhere in the tree."""
    stack = [(node, 0)]
    while stack:
        item, depth = stack.pop()
        if item[0] == "/" and depth <= MAX_DEPTH * 4:
            try:
                if rational(item[2]) == 0:
                    return True
            except NoValue:
                pass
        stack += [(n, depth + 1) for n in item[1:] if isinstance(n, tuple) and n]
    return False


def _bare(node: Node) -> Node:
    return node[1] if node[0] == "percent" else node


def _symbolic(node: Node) -> bool:
    return node[0] == "sym" or any(isinstance(n, tuple) and n and _symbolic(n) for n in node[1:])
