"""The type of a gold that names none."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import re

from pydantic import JsonValue

from hexad.grading.math_answers import is_wordy, read_answer
from hexad.grading.plain_text import unwrap
from hexad.grading.quantities import plain_integer, read_number
from hexad.grading.tokens import MathSyntaxError

_BY_NODE = {
    "list": "set", "set": "set", "empty": "set", "union": "interval", "matrix": "matrix", "text": "text",
    "base": "rational",
}  # fmt: skip


def infer_type(value: JsonValue) -> str:
    """Type of a gold by its value alone: integer, rational, decimal, choice, text, tuple, set, interval, ..., json."""
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return "json"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "decimal"
    if isinstance(value, list):
        return "list"
    return _of_text(value)


def type_for(domain: str, value: JsonValue) -> str:
    """Type of a gold by its domain and value; what `grade` uses for a gold without a type."""
    if domain == "simulation":
        return "json"
    if domain == "code":
        pairs = isinstance(value, list) and value and all(isinstance(v, list) and len(v) == 2 for v in value)
        if not pairs or not isinstance(value, list):
            return "asserts"
        return "stdio" if all(isinstance(v, list) and isinstance(v[0], str) for v in value) else "function"
    if domain == "logic":
        if isinstance(value, dict):
            return "table"
        if isinstance(value, list):
            return "grid" if value and all(isinstance(row, list) for row in value) else "list"
        return "text"
    if domain == "tabular" and not isinstance(value, list):
        if isinstance(value, str) and "|" in value:
            return "list"
        return "number" if read_number(str(value), scales=True) is not None else "text"
    if domain == "science" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return "quantity"
    return infer_type(value)


def _of_text(text: str) -> str:
    plain = unwrap(text)
    if plain_integer(plain) is not None:
        return "integer"
    if re.fullmatch(r"\(?[A-J]\)?", plain):
        return "choice"
    if is_wordy(text):
        return "text"
    try:
        node, _ = read_answer(text)
    except MathSyntaxError:
        return "text"
    if node[0] == "num":
        return "decimal" if "." in node[1] else "integer"
    if node[0] == "rel":
        return "equation" if node[1] == "=" else "interval"
    if node[0] == "tuple":
        return "interval" if len(node) == 5 and node[1:3] != ("(", ")") else "tuple"
    if node[0] in {"/", "percent", "neg"} and read_number(text) is not None:
        return "rational"
    return _BY_NODE.get(node[0], "expression")
