"""Exact rational value of a tree, bounded: no input makes it slow."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import math
from fractions import Fraction

from hexad.grading.parse_math import Node

MAX_BITS = 70_000  # of any numerator or denominator (about 21,000 digits)
MAX_FACTORIAL = 5_000
MAX_DIGITS = 4_000


class NoValue(ValueError):
    """Division by zero, or a value too large to compute: equal to nothing but its own spelling."""


def rational(node: Node) -> Fraction | None:
    """The value where the tree is a rational number by arithmetic alone, else None. Raises NoValue."""
    kind = node[0]
    if kind == "num":
        return number(node[1])
    if kind == "neg":
        inner = rational(node[1])
        return None if inner is None else -inner
    if kind in {"+", "*", "/", "^", "ratio"}:
        left, right = rational(node[1]), rational(node[2])
        return None if left is None or right is None else _combine(kind, left, right)
    if kind == "percent":
        inner = rational(node[1])
        return None if inner is None else inner / 100
    if kind == "base":
        return based(node[1], node[2])
    if kind == "fn":
        return _function(node)
    return None


def number(digits: str) -> Fraction:
    """A decimal numeral, exactly. Raises NoValue when it is too long."""
    mantissa, _, exponent = digits.replace("_", "").replace("E", "e").partition("e")
    whole, _, decimals = mantissa.partition(".")
    if len(mantissa) > MAX_DIGITS or len(exponent) > 5:
        raise NoValue(f"a number of {len(digits)} characters")
    power = int(exponent or 0) - len(decimals)
    value = Fraction(int((whole + decimals) or 0))
    return value * Fraction(10) ** power


def based(digits: str, base: str) -> Fraction | None:
    """Digits in another base, e.g. 11_2 = 3."""
    if not 2 <= int(base[:3]) <= 10 or any(int(d) >= int(base) for d in digits):
        return None
    value = 0
    for digit in digits:
        value = value * int(base) + int(digit)
    return Fraction(value)


def _combine(kind: str, left: Fraction, right: Fraction) -> Fraction | None:
    if kind == "^":
        return _power(left, right)
    if kind in {"/", "ratio"}:
        if right == 0:
            raise NoValue("division by zero")
        return _bounded(left / right)
    return _bounded(left + right if kind == "+" else left * right)


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1:
        return _root(base, exponent)
    if base == 0:
        if exponent <= 0:
            raise NoValue("zero to a power that is not positive")
        return base
    if base in (1, -1):
        return base if exponent.numerator % 2 else Fraction(1)
    if abs(exponent.numerator) * max(base.numerator.bit_length(), base.denominator.bit_length()) > MAX_BITS:
        raise NoValue("a power too large to compute")
    return Fraction(base**exponent.numerator)


def _root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """Perfect square and higher roots of non-negative rationals; None where the root is irrational."""
    degree = exponent.denominator
    if base < 0 or degree > 64 or abs(exponent.numerator) > 64:
        return None
    top, bottom = _integer_root(base.numerator, degree), _integer_root(base.denominator, degree)
    if top is None or bottom is None:
        return None
    return _power(Fraction(top, bottom), Fraction(exponent.numerator))


def _integer_root(n: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(n)
        return root if root * root == n else None
    if n.bit_length() > 2_000:
        return None
    low, high = 0, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= n else (low, middle - 1)
    return low if low**degree == n else None


def _function(node: Node) -> Fraction | None:
    name, arguments = node[1], [rational(a) for a in node[2:]]
    values = [a for a in arguments if a is not None]
    if len(values) < len(arguments):
        return None
    if name == "abs" and len(values) == 1:
        return abs(values[0])
    if name in {"floor", "ceil"} and len(values) == 1:
        return Fraction(math.floor(values[0]) if name == "floor" else math.ceil(values[0]))
    if name in {"max", "min"}:
        return max(values) if name == "max" else min(values)
    whole = [v.numerator for v in values if v.denominator == 1]
    if len(whole) < len(values):
        return None
    if name == "factorial":
        if not 0 <= whole[0] <= MAX_FACTORIAL:
            raise NoValue(f"factorial of {'a negative number' if whole[0] < 0 else 'a number above 5000'}")
        return Fraction(math.factorial(whole[0]))
    if name == "binom" and len(whole) == 2:
        n, k = whole
        if not 0 <= n <= MAX_FACTORIAL or k < 0:
            raise NoValue("a binomial coefficient too large to compute")
        return Fraction(math.comb(n, k))
    if name in {"gcd", "lcm"}:
        return _bounded(Fraction(math.gcd(*whole) if name == "gcd" else math.lcm(*whole)))
    return None


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise NoValue("a number too large to compute")
    return value
