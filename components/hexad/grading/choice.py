"""Multiple choice: exactly one option letter, or exactly one option's text. A list of letters is no choice."""

import re
from collections.abc import Sequence

from hexad.grading.plain_text import unwrap, words

MAX_LENGTH = 2_000  # characters of a letter with its option
_LETTER = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)\s*(?:is)?\s*:?\s*)?"
    r"[(\[]?\s*([A-Za-z])\s*(?:[)\]]\s*\.?|[.:])?(?:(?<=[).:\]])\s*(.*))?",
    re.IGNORECASE | re.DOTALL,
)

_SEVERAL = re.compile(r"(?:or|and)\b|[&,/]|[a-j](?:[).:,\s]+[a-j])*[).:,]*$")  # "(A) or (B)", "A. B. C."


def read_choice(answer: str, choices: Sequence[str] = ()) -> str | None:
    """The chosen letter in upper case, or None. `choices` are the options' texts in the order of their letters.

    "C. Acid" chooses C, unless `choices` says that Acid is another option: then nothing was chosen.
    """
    if len(answer) > MAX_LENGTH:
        return None
    text = " ".join(unwrap(answer).split())
    by_text = {words(c): chr(65 + i) for i, c in enumerate(choices)}
    if words(text) in by_text:
        return by_text[words(text)]
    match = _LETTER.fullmatch(text)
    if not match:
        return None
    letter, rest = match.group(1).upper(), words(match.group(2) or "")
    if _SEVERAL.match(rest) or (rest in by_text and by_text[rest] != letter):
        return None
    if choices and ord(letter) - 65 >= len(choices):
        return None
    return letter
