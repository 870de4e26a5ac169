"""Value of a tree at 50 digits, and equality of expressions by their values at fixed points.

Runs in a pool worker, since large inputs can still be slow. 64-bit floats would make 1/2004! equal 1/2006!
(Math-Verify #14), so all arithmetic has 60 digits and comparison is relative.
"""

# ruff: noqa: PLR0911 - one return a case reads as a table

from typing import Any

import mpmath  # type: ignore[import-untyped]

from hexad.grading.exact import NoValue, number, rational
from hexad.grading.parse_math import Node

DIGITS = 60
AGREE = mpmath.mpf(10) ** -45  # relative difference below which two values are the same
MAX_LOG10 = 100_000  # magnitude beyond which nothing is computed

_POINTS = 5
_UNARY = {
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "cot": mpmath.cot, "sec": mpmath.sec, "csc": mpmath.csc,
    "asin": mpmath.asin, "acos": mpmath.acos, "atan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh,
    "tanh": mpmath.tanh, "ln": mpmath.log, "exp": mpmath.exp, "abs": abs,
    "log": lambda x: mpmath.log(x) / mpmath.log(10),
}  # fmt: skip


def same_value(gold: Node, answer: Node) -> bool:
    """Whether two scalar trees agree at every point where both are defined, and at two points at least."""
    names = sorted(symbols(gold) | symbols(answer))
    with mpmath.workdps(DIGITS):
        compared, real = 0, True
        for point in points(names):
            try:
                a, b = value(gold, point), value(answer, point)
            except (NoValue, ZeroDivisionError):
                continue
            if names and compared and real and (mpmath.im(a) != 0 or mpmath.im(b) != 0):
                continue  # sqrt and log leave the reals where a symbol is negative: ln(x^2) and 2 ln(x) agree elsewhere
            if not _agree(a, b) and not _both_vanish(gold, answer, point):
                return False
            compared, real = compared + 1, real and mpmath.im(a) == 0
        return compared >= (2 if names else 1)


def same_zeros(gold: Node, answer: Node) -> bool:
    """Whether two trees are equal up to a constant factor: equations `gold = 0` and `answer = 0` are then the same."""
    names = sorted(symbols(gold) | symbols(answer))
    with mpmath.workdps(DIGITS):
        ratio = None
        compared = 0
        for point in points(names):
            try:
                a, b = value(gold, point), value(answer, point)
                quotient = a / b
            except (NoValue, ZeroDivisionError):
                continue
            if ratio is not None and not _agree(ratio, quotient):
                return False
            ratio, compared = quotient, compared + 1
        return compared >= 2 and ratio != 0


def fingerprint(node: Node) -> str:
    """A string that is equal for trees of equal value (25 digits at the fixed points)."""
    names = sorted(symbols(node))
    with mpmath.workdps(DIGITS):
        parts = []
        for point in points(names):
            try:
                v = value(node, point)
            except (NoValue, ZeroDivisionError):
                parts.append("undefined")
                continue
            parts.append("0" if _vanishes(node, point) else f"{_digits(mpmath.re(v))},{_digits(mpmath.im(v))}")
    return ",".join(names) + "|" + "|".join(parts)


def _digits(x: Any) -> str:
    return str(mpmath.nstr(x, 25))


def points(names: list[str]) -> list[dict[str, Any]]:
    """Five assignments of numbers to symbols, two all positive, the same everywhere; one empty without symbols."""
    if not names:
        return [{}]
    return [{name: _coordinate(i, j) for j, name in enumerate(names)} for i in range(_POINTS)]


def _coordinate(point: int, symbol: int) -> Any:
    """Square roots of distinct non-squares: independent over the rationals."""
    size = mpmath.sqrt(mpmath.mpf(2 + 7 * point + 11 * symbol) / 5 + mpmath.mpf(1) / 97)
    return -size if point >= 2 and (point + symbol) % 2 else size


def symbols(node: Node) -> set[str]:
    """Names of the free symbols of a tree."""
    found: set[str] = set()
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            if item and item[0] == "sym":
                found.add(item[1])
            else:
                stack.extend(item[1:])
    return found


def value(node: Node, point: dict[str, Any]) -> Any:
    """The value of a scalar tree, an mpf or mpc. Raises NoValue where there is none, or it is out of bounds."""
    kind = node[0]
    if kind == "num":
        return _of_fraction(number(node[1]))
    if kind == "sym":
        if node[1] not in point:
            raise NoValue(f"symbol {node[1]}")
        return point[node[1]]
    if kind == "const":
        return _constant(node[1])
    if kind in {"neg", "percent", "degrees"}:
        inner = value(node[1], point)
        return -inner if kind == "neg" else inner / 100 if kind == "percent" else inner * mpmath.pi / 180
    if kind in {"+", "*", "/", "^", "ratio"}:
        return _operate(kind, value(node[1], point), value(node[2], point))
    if kind == "base":
        exact = rational(node)
        if exact is not None:
            return _of_fraction(exact)
    if kind == "fn":
        return _apply(node, point)
    raise NoValue(f"{kind} has no value")


def _operate(kind: str, left: Any, right: Any) -> Any:
    if kind == "+":
        return _in_bounds(left + right)
    if kind == "*":
        return _in_bounds(left * right)
    if kind in {"/", "ratio"}:
        return _in_bounds(left / right)
    if left == 0:
        if mpmath.re(right) <= 0:
            raise NoValue("zero to a power that is not positive")
        return left
    if abs(right * mpmath.log(left)) > MAX_LOG10:
        raise NoValue("a power too large to compute")
    return _in_bounds(left**right)


def _apply(node: Node, point: dict[str, Any]) -> Any:
    exact = rational(node)
    if exact is not None:
        return _of_fraction(exact)
    arguments = [value(a, point) for a in node[2:]]
    if node[1] in _UNARY and len(arguments) == 1:
        x = arguments[0]
        if node[1] in {"ln", "log"} and x == 0:
            raise NoValue("logarithm of zero")
        if abs(x) > MAX_LOG10 and node[1] in {"exp", "sinh", "cosh", "sin", "cos", "tan"}:
            raise NoValue(f"{node[1]} of a number too large")
        return _in_bounds(_UNARY[node[1]](x))
    if node[1] in {"max", "min"} and all(mpmath.im(a) == 0 for a in arguments):
        return (max if node[1] == "max" else min)(arguments)
    raise NoValue(f"{node[1]} of {len(arguments)} arguments has no value here")


def _constant(name: str) -> Any:
    if name == "pi":
        return +mpmath.pi
    if name == "e":
        return +mpmath.e
    if name == "i":
        return mpmath.mpc(0, 1)
    raise NoValue(f"{name} is no number")


def _of_fraction(exact: Any) -> Any:
    return _in_bounds(mpmath.mpf(exact.numerator) / exact.denominator)


def _in_bounds(x: Any) -> Any:
    if not mpmath.isfinite(x):
        raise NoValue("not finite")
    return x


def _agree(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= AGREE * max(abs(a), abs(b)))


def _both_vanish(gold: Node, answer: Node, point: dict[str, Any]) -> bool:
    """Whether both are zero. Cancellation leaves noise that changes with the precision; a true tiny value stays."""
    return _vanishes(gold, point) and _vanishes(answer, point)


def _vanishes(node: Node, point: dict[str, Any]) -> bool:
    short = value(node, point)
    if short == 0:
        return True
    if abs(short) > mpmath.mpf(10) ** -40:
        return False
    with mpmath.workdps(4 * DIGITS):
        return bool(abs(short - value(node, point)) > abs(short) * mpmath.mpf(10) ** -10)
