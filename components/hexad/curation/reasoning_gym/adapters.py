"""Which of reasoning-gym's generators give prompts that our grader can judge, in which domain, with which gold.

Its own scorers are not used on responses: some execute the text, others pay for an answer that merely contains the
gold, or for silence. So a generator is adapted only where one answer is right and a gold type says so; `UNSUITED`
says of each other one why not. Arithmetic has type `number`, which takes a single number: by
value the question's own expression would be right, too.
"""

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from hexad.records import Domain, Gold


def _number(answer: str) -> Gold:
    return Gold(value=answer.strip(), type="number")


def _rounded(tolerance: float) -> Callable[[str], Gold]:
    return lambda answer: Gold(value=answer.strip(), type="number", options={"tolerance": tolerance})


def _text(answer: str) -> Gold:
    return Gold(value=answer.strip(), type="text")


def _fraction(answer: str) -> Gold:
    """In lowest terms, as text: by value the fraction of the question would be right too."""
    match = re.fullmatch(r"\$?(?:\\d?frac\{(\d+)\}\{(\d+)\}|(\d+)/(\d+))\$?", answer.strip())
    if match is None:
        raise ValueError(f"no fraction: {answer!r}")
    top, bottom = match[1] or match[3], match[2] or match[4]
    spellings: list[JsonValue] = [f"\\{name}{{{top}}}{{{bottom}}}" for name in ("frac", "dfrac", "tfrac")]
    return Gold(value=f"{top}/{bottom}", type="text", options={"aliases": spellings})


def _sequence(separator: str) -> Callable[[str], Gold]:
    def gold(answer: str) -> Gold:
        items: list[JsonValue] = [item.strip() for item in answer.split(separator)]
        return Gold(value=items, type="list", options={"ordered": True})

    return gold


def _literal_list(answer: str) -> Gold:
    return Gold(value=ast.literal_eval(answer), type="list", options={"ordered": True})


def _json(answer: str) -> Gold:
    return Gold(value=ast.literal_eval(answer.replace("true", "True").replace("false", "False")), type="json")


def _rows(answer: str) -> Gold:
    """A grid as lines of integers."""
    grid: list[JsonValue] = [[int(cell) for cell in line.split()] for line in answer.strip().splitlines()]
    return Gold(value=grid, type="grid")


def _array(answer: str) -> Gold:
    return Gold(value=ast.literal_eval(answer), type="grid")


@dataclass(frozen=True)
class Adapter:
    """How one generator's items become prompts."""

    domain: Domain
    gold: Callable[[str], Gold]


def _each(domain: Domain, gold: Callable[[str], Gold], names: str) -> Iterable[tuple[str, Adapter]]:
    return ((name, Adapter(domain, gold)) for name in names.split())


ADAPTERS: dict[str, Adapter] = dict(
    [
        *_each("math", _number, "basic_arithmetic binary_alternation chain_sum count_bits count_primes "
               "decimal_chain_sum gcd gsm_symbolic lcm leg_counting number_sequence products "
               "simple_equations simple_geometry"),
        *_each("math", _rounded(1e-9), "coin_flip decimal_arithmetic"),
        *_each("math", _rounded(1e-12), "number_format"),  # the candidates are spelled with float noise
        *_each("math", _rounded(5e-3), "power_function"),  # three significant digits are asked for
        *_each("math", _text, "base_conversion bitwise_arithmetic calendar_arithmetic time_intervals"),
        *_each("math", _fraction, "dice fraction_simplification"),
        *_each("code", _text, "ab bf spell_backward string_insertion string_manipulation"),
        *_each("code", _text, "isomorphic_strings ransom_note"),
        *_each("code", _number, "letter_counting"),
        *_each("code", _json, "list_functions"),
        *_each("code", _sequence(","), "word_sequence_reversal"),
        *_each("code", _sequence(" "), "string_splitting string_synthesis"),
        *_each("logic", _text, "caesar_cipher course_schedule emoji_mystery family_relationships figlet_font "
               "mahjong_puzzle syllogism tsumego zebra_puzzles"),
        *_each("logic", _number, "aiw circuit_logic largest_island maze self_reference"),
        *_each("logic", _rows, "mini_sudoku sudoku"),
        *_each("logic", _sequence(" "), "path_star"),
        *_each("simulation", _text, "acre color_cube_rotation game_of_life_halting"),
        *_each("simulation", _number, "rotten_oranges"),
        *_each("simulation", _rows, "arc_1d arc_agi rearc"),
        *_each("simulation", _array, "game_of_life"),
        *_each("simulation", _json, "codeio"),
        *_each("tabular", _rows, "binary_matrix manipulate_matrix rotate_matrix"),
        *_each("tabular", _sequence(" "), "spiral_matrix"),
        *_each("tabular", _sequence(","), "word_sorting"),
        *_each("tabular", _literal_list, "number_filtering number_sorting"),
        *_each("tabular", _text, "needle_haystack"),
        *_each("tabular", _number, "rectangle_count"),
    ]
)  # fmt: skip


def _because(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


UNSUITED: dict[str, str] = {
    **_because(
        "several answers are right, and only a procedure can tell",
        "boxnet countdown cryptarithm futoshiki graph_color jugs kakurasu knight_swap n_queens palindrome_generation "
        "propositional_logic puzzle24 quantum_lock rubiks_cube rush_hour sentence_reordering shortest_path sokoban "
        "survo tower_of_hanoi word_ladder",
    ),
    **_because(
        "an antiderivative is right up to a constant, for which there is no gold type",
        "simple_integration intermediate_integration",
    ),
    "polynomial_multiplication": "by value the question's own expression is right; its form is not compared",
    "prime_factorization": "by value the number itself is right; its form is not compared",
    "letter_jumble": "other words may have the same letters",
    "group_anagrams": "groups and words may come in any order",
    "palindrome_partitioning": "partitions may come in any order",
    "modulo_grid": "its cells are signs that the text comparison drops",
    "pool_matrix": "averages come with unstated rounding",
    "polynomial_equations": "rounded roots, repeated or none, in a set: no gold type compares them",
    "advanced_geometry": "angles, lengths and points rounded to three places in one generator",
    "complex_arithmetic": "by value the question's own expression is right; its form is not compared",
    "knights_knaves": "sentences, in any order and with either article",
    "composite": "a mixture of the others",
}


def unknown(name: str) -> str | None:
    """Why `name` gives no prompts, with the mend; None when it does."""
    if name in ADAPTERS:
        return None
    if name in UNSUITED:
        return f"{name}: {UNSUITED[name]}; choose another generator"
    return f"{name}: no generator of reasoning-gym; there are {', '.join(sorted(ADAPTERS))}"


def prompt_gold(name: str, item: dict[str, Any]) -> Gold:
    """The gold of one item. Raises ValueError where its answer has not the form that the generator promises."""
    try:
        return ADAPTERS[name].gold(str(item["answer"]))
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{name}: unreadable answer {item['answer']!r}: {error}") from error
