"""Logic puzzles: orderings, grids and assignment tables.

An ordering is right or wrong. Of a grid or table the score is the share of right cells, and the status is `correct`
only when all are.
"""

import re
from collections.abc import Sequence
from typing import Any

from hexad.grading.literal import LiteralError, last_literal
from hexad.grading.plain_text import unwrap, words
from hexad.grading.values import equal_values
from hexad.grading.verdicts import CORRECT, Outcome, failed, incorrect, matched

MAX_LIST = 20_000  # characters of an ordering
MAX_SIDE = 100  # rows or columns of a grid


def read_list(answer: str) -> list[str]:
    """Items of "[Ann, Bob]", "Ann, Bob", "Ann > Bob", "Ann | Bob" or one a line, each normalised as a short text."""
    try:
        value = last_literal(answer)
    except LiteralError:
        value = None
    if isinstance(value, list):
        return [words(item if isinstance(item, str) else str(item)) for item in value]
    text = unwrap(answer).strip("[](){} ")
    parts = re.split(r"\||->|→|>|<|;|\n", text)
    if len(parts) == 1:
        parts = re.split(r",|\band\b", text)
    return [words(re.sub(r"^\d+[.)]\s+", "", part.strip())) for part in parts if part.strip()]


def judge_list(gold: Sequence[Any], answer: str, ordered: bool = True) -> Outcome:
    if len(answer) > MAX_LIST:
        return incorrect(f"a list of {len(answer)} characters; at most {MAX_LIST} are read")
    wanted = [words(str(item)) for item in gold]
    found = read_list(answer)
    if not ordered:
        wanted, found = sorted(wanted), sorted(found)
    if wanted == found:
        return CORRECT
    return incorrect("another order" if sorted(wanted) == sorted(found) else "other items")


def judge_grid(gold: Sequence[Sequence[Any]], answer: str) -> Outcome:
    """Cell by cell, at the place of each. A ragged grid, or one of another shape, has no right cell."""
    cells = _rectangle(gold)
    if cells is None:
        return failed("the gold grid is empty or ragged; drop the row")
    grid = _read_grid(answer)
    if grid is None:
        return incorrect("no rectangular grid of at most 100 x 100 in the answer")
    if len(grid) != len(cells) or len(grid[0]) != len(cells[0]):
        return incorrect(f"{len(grid)} x {len(grid[0])} cells where the gold has {len(cells)} x {len(cells[0])}")
    right = sum(
        _same_cell(g, a) for row, other in zip(cells, grid, strict=True) for g, a in zip(row, other, strict=True)
    )
    return _share(right, len(cells) * len(cells[0]))


def judge_table(gold: dict[str, Any], answer: str) -> Outcome:
    """A zebra table {"header": [...], "rows": [[...]]}, rows known by their first cell; or an object, key by key.

    Keys and rows that the gold lacks are ignored for a table and wrong for an object.
    """
    try:
        value = last_literal(answer)
    except LiteralError as error:
        return incorrect(f"no JSON object: {error}")
    if not isinstance(value, dict):
        return incorrect("no JSON object")
    if not isinstance(gold.get("rows"), list):
        right = sum(1 for key, cell in gold.items() if key in value and _same_cell(cell, value[key]))
        if right == len(gold) and len(value) > len(gold):
            return incorrect("more keys than were asked")
        return _share(right, len(gold))
    rows = value.get("rows")
    if not isinstance(rows, list):
        return incorrect("no rows")
    by_first = {words(str(row[0])): row for row in rows if isinstance(row, list) and row}
    right = total = 0
    for row in gold["rows"]:
        other = by_first.get(words(str(row[0])), [])
        total += len(row) - 1
        right += sum(_same_cell(g, a) for g, a in zip(row[1:], other[1:], strict=False))
    return _share(right, total)


def _share(right: int, total: int) -> Outcome:
    if total == 0:
        return failed("the gold has no cells; drop the row")
    return matched(True, "") if right == total else incorrect(f"{right} of {total} cells", right / total)


def _same_cell(gold: Any, cell: Any) -> bool:
    if isinstance(gold, str) or isinstance(cell, str):
        return words(str(gold)) == words(str(cell))
    return equal_values(gold, cell)


def _read_grid(answer: str) -> list[list[Any]] | None:
    try:
        return _rectangle(last_literal(answer))
    except LiteralError:
        pass
    rows = [re.split(r"[\s,|]+", line.strip(" |[],")) for line in unwrap(answer).splitlines() if line.strip()]
    return _rectangle(rows)


def _rectangle(value: Any) -> list[list[Any]] | None:
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        return None
    widths = {len(row) for row in value}
    return value if len(widths) == 1 and len(value) <= MAX_SIDE and max(widths) <= MAX_SIDE else None
