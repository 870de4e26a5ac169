"""Tabular: read a small table, add a column up or find its largest row."""

from random import Random

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold

_CITIES = ("Oslo", "Rome", "Lima", "Cairo", "Delhi", "Quito", "Paris", "Accra")
_COLUMNS = ("tea", "rice", "salt", "wool", "corn")


def make(rng: Random) -> Worked:
    cities, columns = rng.sample(_CITIES, rng.choice((2, 3))), rng.sample(_COLUMNS, 2)
    table = {city: {column: rng.randint(2, 39) for column in columns} for city in cities}
    rows = [f"| city | {columns[0]} | {columns[1]} |"]
    rows += [f"| {city} | {table[city][columns[0]]} | {table[city][columns[1]]} |" for city in cities]
    column = rng.choice(columns)
    values = {city: table[city][column] for city in cities}
    if rng.random() < 0.65:
        ask, plan, thinking, answer = _total(column, values)
        gold = Gold(value=int(answer), type="number")
    else:
        ask, plan, thinking, answer = _range(column, values)
        gold = Gold(value=int(answer), type="number")
    return Worked(
        task="sales_table",
        domain="tabular",
        source="hexad/sales_table",
        revision="2",
        question="\n".join(rows) + f"\n{ask}",
        plan=plan,
        thinking=thinking,
        answer=answer,
        gold=gold,
    )


def _total(column: str, values: dict[str, int]) -> tuple[str, str, str, str]:
    total, lines = 0, []
    for city, value in values.items():
        lines.append(f"{city} {value} sum {total}+{value}={total + value}")
        total += value
    return (
        f"What is the total of {column}?",
        "Read the column row by row and keep a running sum.",
        "\n".join(lines),
        str(total),
    )


def _range(column: str, values: dict[str, int]) -> tuple[str, str, str, str]:
    lines, low, high = [], 10**9, -1
    for city, value in values.items():
        low, high = min(low, value), max(high, value)
        lines.append(f"{city} {value} low {low} high {high}")
    lines.append(f"{high}-{low}={high - low}")
    ask = f"What is the largest {column} minus the smallest {column}?"
    return (
        ask,
        "Read the column, keep the lowest and the highest value, then subtract.",
        "\n".join(lines),
        str(high - low),
    )
