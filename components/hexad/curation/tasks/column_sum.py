"""Math: reasoning-gym's chain_sum with two terms, worked column by column."""

from random import Random

import reasoning_gym

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold


def make(rng: Random) -> Worked:
    data = reasoning_gym.create_dataset(
        "chain_sum", size=1, seed=rng.getrandbits(31), min_terms=2, max_terms=2, min_digits=2, max_digits=3
    )
    item = data[0]
    left, operator, right = item["metadata"]["expression"].split()
    a, b = int(left), int(right)
    if operator == "+":
        plan, thinking, result = "Add column by column from the right.", _add(a, b), a + b
    else:
        plan, thinking, result = (
            "Subtract the smaller number from the larger, column by column.",
            _subtract(a, b),
            a - b,
        )
    return Worked(
        task="column_sum",
        domain="math",
        source="reasoning-gym/chain_sum",
        revision="0.1.25",
        question=item["question"],
        plan=plan,
        thinking=thinking,
        answer=str(result),
        gold=Gold(value=result, type="integer"),
    )


def _add(a: int, b: int) -> str:
    lines, carry = [], 0
    for x, y in _columns(a, b):
        total = x + y + carry
        lines.append(f"{x}+{y}+{carry}={total} write {total % 10} carry {total // 10}")
        carry = total // 10
    lines.append(f"top {carry}")
    return "\n".join(lines)


def _subtract(a: int, b: int) -> str:
    big, small = max(a, b), min(a, b)
    lines, borrow = [f"{big}-{small} sign {'+' if a >= b else '-'}"], 0
    for x, y in _columns(big, small):
        digit = x - y - borrow
        owed, borrow = borrow, int(digit < 0)
        lines.append(f"{x}-{y}-{owed} write {digit % 10} borrow {borrow}")
    return "\n".join(lines)


def _columns(a: int, b: int) -> list[tuple[int, int]]:
    """Digits of both numbers, lowest first."""
    width = max(len(str(a)), len(str(b)))
    return [(int(x), int(y)) for x, y in zip(str(a).zfill(width)[::-1], str(b).zfill(width)[::-1], strict=True)]
