"""Numbers as people write them in answers: thousands separators, scale words, accounting negatives, percent, units."""

import re
from fractions import Fraction

from hexad.grading.exact import NoValue, number, rational
from hexad.grading.parse_math import parse
from hexad.grading.plain_text import unwrap
from hexad.grading.tokens import MAX_LENGTH, MathSyntaxError
from hexad.grading.units import canonical_unit, factor, split_unit

_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "k": 10**3, "million": 10**6, "millions": 10**6, "mn": 10**6, "m": 10**6,
    "thousands": 10**3, "billion": 10**9, "billions": 10**9, "bn": 10**9, "b": 10**9, "trillion": 10**12,
}  # fmt: skip
_SCALED = re.compile(r"^(.*\d[\d,.]*)\s*(" + "|".join(sorted(_SCALES, key=len, reverse=True)) + r")\.?$", re.IGNORECASE)
_ACCOUNTING = re.compile(r"^\((\$?[\d,]+(?:\.\d+)?%?)\)$")
_INTEGER = re.compile(r"[+-]?\d{1,4000}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def plain_integer(text: str) -> int | None:
    """The fast path: an integer with or without thousands separators, leading zeros, or `.0`."""
    text = text.strip()
    if _INTEGER.fullmatch(text) and text.isascii():
        return int(text)
    return None


def read_number(text: str, scales: bool = False, asked: str | None = None) -> tuple[Fraction, str | None] | None:
    """(value, unit) of one number; percent divides by 100. None when the text is no single number.

    `scales` reads scale words ("1.2 million") and accounting negatives ("(5)" = -5), as tables write them. `asked` is
    the gold's canonical unit, which is read even where no table of units has it.
    """
    if len(text) > MAX_LENGTH:
        return None
    text, unit = split_unit(text.strip().strip("$").strip()) if "{" in text else (text, None)
    text = unwrap(text).rstrip(".").strip()
    whole = plain_integer(text)
    if whole is not None:
        return Fraction(whole), unit
    scale = 1
    if scales:
        accounting = _ACCOUNTING.match(text)
        text = f"-{accounting.group(1)}" if accounting else text
        scaled = _SCALED.match(text) if len(text) <= 200 else None
        if scaled:
            text, scale = scaled.group(1), _SCALES[scaled.group(2).casefold()]
    if unit is None:
        text, unit = split_unit(text, asked=asked)
    try:
        if _THOUSANDS.fullmatch(text):
            return number(text.replace(",", "").lstrip("+-")) * (-scale if text.startswith("-") else scale), unit
        node = parse(text)
        if node[0] == "rel" and node[1] == "=" and len(node) == 4 and node[2][0] == "sym":
            node = node[3]
        value = rational(node)
    except (MathSyntaxError, NoValue, ValueError):
        return None
    return None if value is None else (value * scale, unit)


def equal_quantity(
    gold: Fraction, unit: str | None, answer: tuple[Fraction, str | None], tolerance: Fraction
) -> str | None:
    """None when the answer is the gold, else the reason. A unit may be left out; a wrong one is wrong.

    `tolerance` is relative to the gold.
    """
    value, answered = answer
    if unit and answered:
        scale = factor(answered, canonical_unit(unit) or unit)
        if scale is None:
            return f"unit {answered!r} where {unit!r} was asked"
        value *= scale
    if abs(value - gold) <= tolerance * abs(gold):
        return None
    return "another number"
