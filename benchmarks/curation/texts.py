"""Generated corpora: texts with planted near duplicates, benchmark items with planted leaks, sources of many rows."""

import json
from itertools import accumulate
from pathlib import Path
from random import Random

_RNG = Random(0)
VOCABULARY = ["".join(_RNG.choices("etaoinshrdlcumwfgypbvkjxqz", k=_RNG.randint(2, 9))) for _ in range(20_000)]
# Zipf's law, as in natural text: the n-th word comes 1/n times as often as the first.
_WEIGHTS = list(accumulate(1 / n for n in range(1, len(VOCABULARY) + 1)))
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]


def words(rng: Random, count: int) -> list[str]:
    return rng.choices(VOCABULARY, cum_weights=_WEIGHTS, k=count)


def with_near_duplicates(count: int, length: int, share: float, seed: int) -> list[str]:
    """`count` texts of about `length` words; `share` of them are edited copies of an earlier one, of any similarity."""
    rng = Random(seed)
    texts: list[list[str]] = []
    for _ in range(count):
        if texts and rng.random() < share:
            copy = list(rng.choice(texts))
            # One changed word breaks five 5-grams: up to 1 in 20 words gives similarities from 1 down to about 0.6.
            for place in rng.sample(range(len(copy)), int(len(copy) * rng.random() * 0.05)):
                copy[place] = rng.choice(VOCABULARY)
            texts.append(copy)
        else:
            texts.append(words(rng, rng.randint(length // 2, length * 3 // 2)))
    return [" ".join(text) for text in texts]


def jaccard(left: str, right: str) -> float:
    """Of the sets of word 5-grams, by plain Python: what the bench holds every finder against."""
    a, b = _grams(left), _grams(right)
    return len(a & b) / len(a | b)


def true_pairs(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """All pairs that are as similar as that. Pairs without a common 5-gram are not looked at."""
    by_gram: dict[tuple[str, ...], list[int]] = {}
    grams = [_grams(text) for text in texts]
    together: dict[tuple[int, int], int] = {}
    for index, found in enumerate(grams):
        for gram in found:
            for other in by_gram.setdefault(gram, []):
                together[other, index] = together.get((other, index), 0) + 1
            by_gram[gram].append(index)
    return {(i, j) for (i, j), both in together.items() if both / (len(grams[i]) + len(grams[j]) - both) >= threshold}


def _grams(text: str) -> set[tuple[str, ...]]:
    found = text.split()
    return set(zip(*(found[offset:] for offset in range(5)), strict=False))


def benchmark_item(rng: Random) -> str:
    """20 to 60 words with numbers and formulas."""
    parts = words(rng, rng.randint(16, 50))
    for _ in range(3):
        parts.insert(rng.randrange(len(parts)), str(rng.randint(2, 16)))
    formula = rf"$\frac{{{rng.randint(1, 9)}}}{{{rng.randint(2, 9)}}} x^{{2}} \cdot y \leq {rng.randint(1, 9)}{{,}}000$"
    return f"{' '.join(parts)} {formula} ?"


def _unicode(text: str) -> str:
    for old, new in (
        ("\\frac{", ""),
        ("}{", "/"),
        ("} x^{2}", " x²"),
        ("\\cdot", "·"),
        ("\\leq", "≤"),
        ("{,}", ","),
        ("$", ""),
    ):
        text = text.replace(old, new)
    return text


def _changed(rng: Random, text: str) -> str:
    found = text.split(" ")
    places = [i for i, word in enumerate(found) if word.isalpha() and not found[i - 1].isdecimal()]
    found[rng.choice(places)] = "otherwise"
    return " ".join(found)


LEAKS = {
    "copied": lambda rng, text: text,
    "blanks and line ends": lambda rng, text: text.replace(" ", "\n\t ", 9).replace(" ", "\u00a0 "),
    "instruction around it": lambda rng, text: f"Solve this problem. {text} Put the answer in a box.",
    "LaTeX spelt another way": lambda rng, text: (
        text.replace("\\frac", "\\dfrac").replace("$", " ").replace("x^{2}", "x^2")
    ),
    "LaTeX as Unicode": lambda rng, text: _unicode(text),
    "numbers in words": lambda rng, text: " ".join(
        _UNITS[int(word)] if word.isdecimal() and int(word) < len(_UNITS) else word for word in text.split(" ")
    ),
    "one word changed": _changed,
}
"""Name to a spelling of a benchmark item that still is the item."""


def write_source(path: Path, rows: int, length: int, seed: int) -> None:
    """Traces in the schema of AM-Thinking-v1-Distilled; one in ten is an edited copy of a recent one."""
    rng = Random(seed)
    recent: list[tuple[list[str], list[str]]] = []
    with path.open("w") as file:
        for number in range(rows):
            if recent and rng.random() < 0.1:
                question, thinking = (list(part) for part in rng.choice(recent))
                thinking[rng.randrange(len(thinking))] = "otherwise"
            else:
                question, thinking = [*words(rng, 30), str(number)], words(rng, length)
                recent = [*recent[-99:], (question, thinking)]
            answer = f"<think>{' '.join(thinking)}</think><answer>{number}</answer>"
            turns = [{"from": "human", "value": " ".join(question)}, {"from": "assistant", "value": answer}]
            file.write(json.dumps({"conversations": turns, "source": "made"}) + "\n")
