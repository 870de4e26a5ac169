"""Multiple choice questions with their options in an order drawn from a recorded seed.

An unseeded shuffle, as in lm-eval's GPQA, gives another benchmark in every process; options in file order let a model
that likes one letter score by position.
"""

from collections.abc import Sequence
from random import Random

from pydantic import JsonValue

from hexad.records import Gold

LETTERS = "ABCDEFGHIJ"


def multiple_choice(question: str, right: str, wrong: Sequence[str], seed: int, row: str) -> tuple[str, Gold]:
    """The question with its lettered options, and the gold. `row` is the row's id: each row has an order of its own.

    Raises ValueError where options repeat or are too many for the letters A to J.
    """
    options = [right, *wrong]
    if len({" ".join(option.split()).casefold() for option in options}) != len(options):
        raise ValueError(f"{row}: two options are the same; drop the row")
    if not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"{row}: {len(options)} options; 2 to {len(LETTERS)} have letters")
    Random(f"{seed} {row}").shuffle(options)
    lines = [f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)]
    choices: list[JsonValue] = list(options)
    gold = Gold(
        value=LETTERS[options.index(right)], type="choice", options={"choices": choices, "option_order_seed": seed}
    )
    return "\n".join([question, *lines]), gold
