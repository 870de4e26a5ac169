"""Canonical keys: equal keys are equivalent answers, so equivalence is symmetric and transitive by construction."""

# ruff: noqa: PLR0911 - one return a case reads as a table

from fractions import Fraction
from typing import Protocol

from hexad.grading.choice import read_choice
from hexad.grading.compare_math import INFINITY, NeedsNumeric, as_intervals, expand_signs, named_values, stated_value
from hexad.grading.exact import NoValue, rational
from hexad.grading.gold_type import infer_type
from hexad.grading.judge import CODE_TYPES
from hexad.grading.literal import LiteralError, last_literal
from hexad.grading.logic import read_list
from hexad.grading.math_answers import TYPES as MATH_TYPES
from hexad.grading.math_answers import is_wordy, read_answer
from hexad.grading.parse_math import Node
from hexad.grading.plain_text import words
from hexad.grading.quantities import plain_integer, read_number
from hexad.grading.tokens import MathSyntaxError
from hexad.grading.values import canonical_json


class Fingerprint(Protocol):
    """What `hexad.grading.numeric` offers for values that are not rational."""

    def fingerprint(self, node: Node) -> str: ...


def key_of(type_: str | None, answer: str, numeric: Fingerprint | None = None) -> str:
    """Key of an extracted answer under a gold's type; None infers it from the answer. Raises NeedsNumeric."""
    whole = plain_integer(answer)
    if whole is not None and type_ not in {"text", "json", "list", "grid", "table", *CODE_TYPES}:
        return f"number:{whole}"
    type_ = type_ or infer_type(answer)
    if type_ == "choice":
        letter = read_choice(answer)
        return f"choice:{letter}" if letter else f"text:{words(answer)}"
    if type_ in {"number", "quantity"}:
        number = read_number(answer, scales=type_ == "number")
        return f"text:{words(answer)}" if number is None else _number(number[0])
    if type_ == "list":
        return "list:" + canonical_json(read_list(answer))
    if type_ in {"json", "grid", "table"}:
        try:
            return "json:" + canonical_json(last_literal(answer))
        except LiteralError:
            return "json:" + canonical_json(answer.strip())
    if type_ in CODE_TYPES:
        return "code:" + "\n".join(line.rstrip() for line in answer.strip().splitlines())
    if type_ in MATH_TYPES and not is_wordy(answer):
        try:
            return _node_key(expand_signs(read_answer(answer)[0]), numeric)
        except (MathSyntaxError, NoValue):
            pass
    return f"text:{words(answer)}"


def _number(value: Fraction) -> str:
    return f"number:{value}"


def _node_key(node: Node, numeric: Fingerprint | None) -> str:
    intervals = as_intervals(node) if node[0] == "rel" else None
    if intervals is not None:
        return _node_key(intervals, numeric)
    if node[0] == "rel":
        stated = stated_value(node)
        if stated is not None:
            return _node_key(stated, numeric)
        return f"rel:{node[1]}" + "|".join(_node_key(n, numeric) for n in node[2:] if isinstance(n, tuple))
    if node[0] in {"list", "set", "union"}:
        items = node[1:] if node[0] == "union" else named_values(node)
        keys = [_node_key(item, numeric) for item in items]
        return f"{node[0]}:" + "|".join(sorted(set(keys) if node[0] == "set" else keys))
    if node[0] == "tuple":
        return f"tuple{node[1]}{node[2]}:" + "|".join(_node_key(item, numeric) for item in node[3:])
    if node[0] == "matrix":
        return "matrix:" + "/".join("|".join(_node_key(cell, numeric) for cell in row[1:]) for row in node[1:])
    if node[0] in {"empty", "text"}:
        return f"{node[0]}:" + words(node[1] if len(node) > 1 else "")
    if node[0] == "degrees":
        return _node_key(node[1], numeric)
    if node in {INFINITY, ("neg", INFINITY)}:
        return f"infinity:{node[0]}"
    exact = rational(node)
    if exact is not None:
        return _number(exact)
    if numeric is None:
        raise NeedsNumeric
    return "value:" + numeric.fingerprint(node)
