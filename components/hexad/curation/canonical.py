"""One spelling for what a question says: LaTeX, Unicode, blanks and numbers in words make no difference.

"Find $\\dfrac{1}{2}$ of twenty-one", "find 1/2 of 21" and "Find  ½ of 21." have the same canonical words. It is for
comparing, not for reading: brackets, quotes and most other punctuation are gone.
"""

import re
import unicodedata

Words = tuple[str, ...]

_WORD = re.compile(r"\d+(?:\.\d+)?|[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+|[+\-*/%<>=^!√]")
_GROUPED = re.compile(r"(?<=\d)(?:,|\{,\}|\\[,;: ])(?=\d{3}(?!\d))")  # 1,000 1{,}000 1\,000
_HYPHEN = re.compile(r"(?<=[a-z])[-\u2010\u2011](?=[a-z])")
_FRACTION = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_ROOT = re.compile(r"\\sqrt\s*(?:\{([^{}]*)\}|(?=\w))|\bsqrt\b")
_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathbb|mathcal|operatorname|boxed)\s*\{([^{}]*)\}")
_SPACING = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|quad|qquad|displaystyle|limits|[,;:!\s])(?![a-z])|[$~]")
_COMMANDS = {
    "*": ("cdot", "times", "ast"), "/": ("div",), "<=": ("leqslant", "leq", "le"), ">=": ("geqslant", "geq", "ge"),
    "!=": ("neq", "ne"), "<": ("lt",), ">": ("gt",), " ": ("ldots", "cdots", "dots"), "infinity": ("infty",),
}  # fmt: skip
_COMMAND = re.compile(rf"\\({'|'.join(c for commands in _COMMANDS.values() for c in commands)})(?![a-z])")
_SIGN_OF = {command: sign for sign, commands in _COMMANDS.items() for command in commands}
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degrees?(?![a-z])")
_CHARACTERS = str.maketrans(
    {
        "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "⁄": "/", "−": "-", "–": "-", "—": " ", "≤": "<=", "≥": ">=",
        "≠": "!=", "°": " degrees ", "∞": " infinity ", "…": " ", "²": "^2", "³": "^3", "¼": " 1/4 ", "½": " 1/2 ",
        "¾": " 3/4 ", "α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ε": " epsilon ", "θ": " theta ",
        "λ": " lambda ", "μ": " mu ", "π": " pi ", "σ": " sigma ", "φ": " phi ", "ω": " omega ",
    }
)  # fmt: skip
_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())}
_TENS = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_SPELLED = {*_UNITS, *_TENS, *_SCALES, "dozen"}


def canonical_words(text: str) -> Words:
    """Lower-case words, numbers in digits, and operators, in order."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_CHARACTERS)).casefold()
    text = _GROUPED.sub("", text)
    if "\\" in text or "$" in text:
        text = _without_latex(text)
    text = _ROOT.sub("√", text) if "sqrt" in text else text
    words = _WORD.findall(_HYPHEN.sub(" ", text).replace("**", "^"))
    return _numbers_in_digits([_decimal(word) for word in words])


def numbers_of(words: Words) -> Words:
    """The numbers among canonical words, sorted."""
    return tuple(sorted(word for word in words if word[0].isdecimal()))


def _without_latex(text: str) -> str:
    text = _SPACING.sub(" ", _DEGREES.sub(" degrees ", text))
    text = _COMMAND.sub(lambda found: f" {_SIGN_OF[found.group(1)]} ", text)
    before = ""
    while before != text:  # from the inside out
        before = text
        text = _TEXT.sub(r" \1 ", text)
        text = _ROOT.sub(lambda found: f" √ {found.group(1) or ''} ", text)
        text = _FRACTION.sub(lambda found: " {} / {} ".format(*(part for part in found.groups() if part)), text)
        text = re.sub(r"([\^_])\s*\{([^{}]*)\}", r"\1 \2 ", text)
    return text


def _decimal(word: str) -> str:
    """Digits of any script as ASCII digits; 12.0 and 012 as 12."""
    if not word[0].isdecimal():
        return word
    whole, _, part = word.partition(".")
    digits, part = str(int(whole[:4000])) if len(whole) < 4000 else whole, part.rstrip("0")
    return f"{digits}.{part}" if part else digits


def _numbers_in_digits(words: list[str]) -> Words:
    """One hundred and five becomes 105, two dozen becomes 24; a number word that stands alone becomes its value."""
    if _SPELLED.isdisjoint(words):
        return tuple(words)
    found: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word not in _SPELLED:
            found.append(word)
            index += 1
            continue
        value, index = _spelled(words, index)
        found.append(str(value))
    return tuple(found)


def _spelled(words: list[str], index: int) -> tuple[int, int]:
    """The number that begins here, and the index of the first word after it."""
    total, current, room = 0, 0, 0  # room: what may be added still: 99 after a hundred, 9 after a ten
    fresh = True
    while index < len(words):
        word = words[index]
        value = _UNITS.get(word, _TENS.get(word))
        if value is not None and (fresh or value <= room):
            current += value
            room = 9 if word in _TENS else 0
        elif word == "dozen" and (fresh or room == 0):
            return (total + max(current, 1)) * 12, index + 1
        elif word == "hundred" and (fresh or 0 < current < 100):
            current, room = max(current, 1) * 100, 99
        elif word in _SCALES and word != "hundred" and (fresh or current):
            total, current, room = total + max(current, 1) * _SCALES[word], 0, 999
        elif word == "and" and not fresh and room >= 99 and _begins_below(words, index + 1, room):
            pass
        else:
            break
        fresh = False
        index += 1
    return total + current, index


def _begins_below(words: list[str], index: int, room: int) -> bool:
    following = words[index] if index < len(words) else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    value = _UNITS.get(following, _TENS.get(following))
    return value is not None and value <= room and after != "hundred"  # "one hundred and two hundred" are two
