"""Mathematical equality of two parsed answers, decided by the gold's kind.

Exact: no tolerance, except that a gold written with six or more decimals is taken as rounded. Where only a
high-precision evaluation can decide, `numeric` does it; it is None in the calling process, which then hands the
whole comparison to a worker (`NeedsNumeric`).
"""

# ruff: noqa: PLR0911 - one return a case reads as a table

from fractions import Fraction
from typing import Protocol

from hexad.grading.exact import NoValue, rational
from hexad.grading.parse_math import Node

ROUNDED_DECIMALS = 6


class Numeric(Protocol):
    """What `hexad.grading.numeric` offers; passed in, so that comparing exactly needs no mpmath."""

    def same_value(self, gold: Node, answer: Node) -> bool: ...
    def same_zeros(self, gold: Node, answer: Node) -> bool: ...


class NeedsNumeric(Exception):
    """The comparison cannot be decided by exact arithmetic on rationals."""


class Comparison:
    """One comparison. `ordered`: the order of a bare list counts; `rounding`: see `_rounds_to`."""

    def __init__(self, numeric: Numeric | None = None, ordered: bool = False, rounding: bool = True) -> None:
        self.numeric, self.ordered, self.rounding = numeric, ordered, rounding

    def equal(self, gold: Node, answer: Node) -> bool:
        """Whether `answer` is the gold. Raises NeedsNumeric."""
        gold, answer = expand_signs(gold), expand_signs(answer)
        if gold == answer:
            return True
        if gold[0] == "rel" or answer[0] == "rel":
            return self._relation(gold, answer)
        if gold[0] == "list" and answer[0] == "tuple" and answer[1:3] == ("(", ")"):
            gold = ("tuple", "(", ")", *named_values(gold))
        if gold[0] in {"list", "set"} or (answer[0] in {"list", "set"} and gold[0] != "tuple"):
            return self._collection(gold, answer)
        if gold[0] == "tuple" and answer[0] in {"tuple", "list"}:
            return self._tuple(gold, answer)
        if gold[0] in {"union", "tuple"} and answer[0] in {"union", "tuple"}:
            return self._same_items(gold[1:], answer[1:]) if gold[0] == answer[0] == "union" else False
        if gold[0] == "matrix" and answer[0] == "matrix":
            return self._matrix(gold, answer)
        if {gold[0], answer[0]} & {"tuple", "union", "matrix", "empty", "text"}:
            return _empty(gold) and _empty(answer)
        return self._scalar(gold, answer)

    def _scalar(self, gold: Node, answer: Node) -> bool:
        if INFINITY in {gold, answer, *gold[1:2], *answer[1:2]}:
            return False  # not the same sign of infinity, or a number beside it
        if gold[0] == "degrees" or answer[0] == "degrees":
            return self._angle(gold, answer)
        try:
            left, right = rational(gold), rational(answer)
        except NoValue:
            return False
        if left is not None and right is not None:
            return left == right or (self.rounding and _rounds_to(gold, answer, right))
        if self.numeric is None:
            raise NeedsNumeric
        return self.numeric.same_value(gold, answer)

    def _angle(self, gold: Node, answer: Node) -> bool:
        """90° is 90 when the other side has no degree sign, and pi/2 as well."""
        inner_gold = gold[1] if gold[0] == "degrees" else gold
        inner_answer = answer[1] if answer[0] == "degrees" else answer
        if self._scalar(inner_gold, inner_answer):
            return True
        if gold[0] == answer[0]:
            return False
        if self.numeric is None:
            raise NeedsNumeric
        return self.numeric.same_value(gold, answer)

    def _collection(self, gold: Node, answer: Node) -> bool:
        left, right = _members(gold), _members(answer)
        if self.ordered and gold[0] == "list":
            return len(left) == len(right) and all(self.equal(g, a) for g, a in zip(left, right, strict=True))
        if gold[0] == "set" or answer[0] == "set":
            left, right = self._distinct(left), self._distinct(right)
        return self._same_items(tuple(left), tuple(right))

    def _distinct(self, items: list[Node]) -> list[Node]:
        kept: list[Node] = []
        for item in items:
            if not any(self.equal(item, other) for other in kept):
                kept.append(item)
        return kept

    def _same_items(self, gold: tuple[Node, ...], answer: tuple[Node, ...]) -> bool:
        if len(gold) != len(answer) or len(gold) > 500:
            return False
        rest = list(answer)
        for item in gold:
            found = next((i for i, other in enumerate(rest) if self.equal(item, other)), None)
            if found is None:
                return False
            del rest[found]
        return True

    def _tuple(self, gold: Node, answer: Node) -> bool:
        if answer[0] == "list":
            answer = ("tuple", "(", ")", *named_values(answer))
        if len(gold) != len(answer) or (len(gold) == 5 and gold[1:3] != answer[1:3]):
            return False
        return all(self.equal(g, a) for g, a in zip(gold[3:], answer[3:], strict=True))

    def _matrix(self, gold: Node, answer: Node) -> bool:
        if [len(row) for row in gold[1:]] != [len(row) for row in answer[1:]]:
            return False
        return all(
            self.equal(g, a) for left, right in zip(gold[1:], answer[1:], strict=True)
            for g, a in zip(left[1:], right[1:], strict=True)
        )  # fmt: skip

    def _relation(self, gold: Node, answer: Node) -> bool:
        left, right = as_intervals(gold), as_intervals(answer)
        if left is not None and right is not None:
            return self.equal(left, right)
        if gold[0] != "rel" or answer[0] != "rel":
            plain, related = (gold, answer) if answer[0] == "rel" else (answer, gold)
            stated = stated_value(related)
            if stated is None:
                return False
            return self.equal(gold, stated) if related is answer else self.equal(stated, plain)
        if gold[1] != answer[1] or len(gold) != 4 or len(answer) != 4:
            return gold[1] in {"<", ">", "<=", ">="} and self._flipped(gold, answer)
        if gold[1] != "=":
            return self.equal(gold[2], answer[2]) and self.equal(gold[3], answer[3])
        if self._sides(gold, answer):
            return True
        if self.numeric is None:
            raise NeedsNumeric
        return self.numeric.same_zeros(_difference(gold), _difference(answer))

    def _sides(self, gold: Node, answer: Node) -> bool:
        return gold[2] == answer[2] and self.equal(gold[3], answer[3])

    def _flipped(self, gold: Node, answer: Node) -> bool:
        """2 < x as x > 2."""
        if len(gold) != 4 or len(answer) != 4 or _FLIP[gold[1]] != answer[1]:
            return False
        return self.equal(gold[2], answer[3]) and self.equal(gold[3], answer[2])


_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NO_SOLUTION = {
    "no solution",
    "no solutions",
    "none",
    "empty set",
    "no real solution",
    "no real solutions",
    "does not exist",
}


def _empty(node: Node) -> bool:
    return node[0] == "empty" or (node[0] == "text" and node[1].casefold().strip(" .") in _NO_SOLUTION)


def _difference(equation: Node) -> Node:
    return ("+", equation[2], ("neg", equation[3]))


def _rounds_to(gold: Node, answer: Node, value: Fraction) -> bool:
    """A gold of six or more decimals stands for an exact fraction that rounds to it; not for another decimal."""
    if gold[0] != "num" or "." not in gold[1] or "e" in gold[1].casefold() or _decimal(answer):
        return False
    decimals = len(gold[1].partition(".")[2])
    exact = rational(gold)
    return exact is not None and decimals >= ROUNDED_DECIMALS and abs(exact - value) * 2 <= Fraction(1, 10**decimals)


def _decimal(node: Node) -> bool:
    return (node[0] == "num" and "." in node[1]) or (node[0] in {"neg", "percent"} and _decimal(node[1]))


def _members(node: Node) -> list[Node]:
    return list(named_values(node)) if node[0] in {"list", "set"} else [node]


def named_values(node: Node) -> tuple[Node, ...]:
    """Values of `a=1, b=2` or `x=2, x=3`: the right sides when every item is such an equation."""
    values = [stated_value(item) if item[0] == "rel" else item for item in node[1:]]
    return node[1:] if None in values else tuple(v for v in values if v is not None)


def stated_value(relation: Node) -> Node | None:
    """The value that `x = 3`, `m+n = 204` or `3 = x` states; None for an inequality or an equation to solve."""
    if any(op != "=" for op in (relation[1], *relation[4::2])):
        return None
    sides: tuple[Node, ...] = (relation[2], relation[3], *relation[5::2])
    if _names_only(sides[0]) or not _has_symbol(sides[0]):
        return sides[-1]
    if len(sides) > 2:
        return sides[-1]
    return sides[0] if sides[-1][0] == "sym" else None


def _names_only(node: Node) -> bool:
    """A symbol, a sum or product of symbols, or f(x)."""
    if node[0] == "sym":
        return True
    return node[0] in {"+", "*", "neg", "/", "^", "num", "fn"} and all(
        _names_only(n) or n[0] == "num" for n in node[1:] if isinstance(n, tuple)
    )


def _has_symbol(node: Node) -> bool:
    return node[0] == "sym" or any(isinstance(n, tuple) and n and _has_symbol(n) for n in node[1:])


INFINITY: Node = ("const", "infty")


def as_intervals(node: Node) -> Node | None:
    """An inequality in one symbol, or membership, as interval or union; intervals and unions as they are."""
    if node[0] == "union" or (node[0] == "tuple" and len(node) == 5):
        return node
    if node[0] != "rel":
        return None
    if node[1] == "in" and len(node) == 4 and node[2][0] == "sym":
        return as_intervals(node[3])
    if node[1] in _FLIP and len(node) == 4:
        op, left, right = node[1:]
        if left[0] != "sym" and right[0] == "sym":
            op, left, right = _FLIP[op], right, left
        if left[0] != "sym" or _has_symbol(right):
            return None
        if op in {"<", "<="}:
            return ("tuple", "(", "]" if op == "<=" else ")", ("neg", INFINITY), right)
        return ("tuple", "[" if op == ">=" else "(", ")", right, INFINITY)
    if node[1] in _FLIP and len(node) == 6 and node[3][0] == "sym":
        first, low, _, second, high = node[1:]
        if first in {">", ">="} and second in {">", ">="}:
            first, low, second, high = _FLIP[second], high, _FLIP[first], low
        if first in {"<", "<="} and second in {"<", "<="} and not _has_symbol(low) and not _has_symbol(high):
            return ("tuple", "[" if first == "<=" else "(", "]" if second == "<=" else ")", low, high)
    return None


def expand_signs(node: Node) -> Node:
    """`\\pm 2` as the list 2, -2; inside a list or set the two values join the others."""
    if node[0] in {"list", "set"}:
        items: list[Node] = []
        for item in node[1:]:
            expanded = expand_signs(item)
            items += expanded[1:] if expanded[0] == "list" else [expanded]
        return (node[0], *items)
    if node[0] == "rel" and node[1] == "=" and len(node) == 4 and _has_sign(node[3]):
        return expand_signs(node[3])
    if node[0] in {"tuple", "rel", "matrix", "union"} or not _has_sign(node):
        return node
    return ("list", _choose(node, True), _choose(node, False))


def _has_sign(node: Node) -> bool:
    return node[0] in {"pm", "mp"} or any(isinstance(n, tuple) and n and _has_sign(n) for n in node[1:])


def _choose(node: Node, upper: bool) -> Node:
    parts = tuple(_choose(n, upper) if isinstance(n, tuple) and n else n for n in node[1:])
    if node[0] in {"pm", "mp"}:
        return ("+", parts[0], parts[1] if (node[0] == "pm") == upper else ("neg", parts[1]))
    return (node[0], *parts)
