"""Mathematical text (LaTeX or plain) to tokens."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import re
from typing import NamedTuple

from hexad.grading.plain_text import ascii_signs

MAX_LENGTH = 4000  # characters of one mathematical answer
MAX_TOKENS = 1500


class MathSyntaxError(ValueError):
    """The text is no mathematics that this grader reads; it may still be compared as text."""


class Token(NamedTuple):
    """`kind`: num, sym, cmd, text, op, or end. `spaced`: white space stands before it."""

    kind: str
    value: str
    spaced: bool


_UNICODE = {
    "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": r"\div ", "√": r"\sqrt ", "π": r"\pi ", "∞": r"\infty ",
    "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "°": r"^\circ ", "∅": r"\emptyset ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "±": r"\pm ", "∓": r"\mp ", "½": r"\frac12 ", "⅓": r"\frac13 ", "¼": r"\frac14 ", "¾": r"\frac34 ",
    "²": "^2", "³": "^3", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "∗": "*", "⁄": "/", "∶": ":",
}  # fmt: skip
_RENAMED = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "dbinom": "binom", "tbinom": "binom", "choose": "choose",
    "leq": "le", "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "lt": "<", "gt": ">",
    "varnothing": "emptyset", "ast": "*", "times": "*", "cdot": "*", "div": "/", "lbrace": "{", "rbrace": "}",
    "land": "and", "lor": "or", "vert": "|", "mid": "|", "lvert": "|", "rvert": "|", "colon": ":", "infin": "infty",
    "degree": "circ", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "lg": "log", "lbrack": "[", "rbrack": "]",
    "ldots": "dots", "cdots": "dots",
}  # fmt: skip
_OPERATORS = {"<", ">", "*", "/", "|", ":", "[", "]"}
_IGNORED = {
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "textstyle",
    "limits", "quad", "qquad", "mathrm", "mathbf", "mathit", "boldsymbol", "mathbb", "operatorname", "space", "rm",
    "approx",
}  # fmt: skip
_WORDS = {
    "sqrt", "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "tanh", "ln", "log", "exp", "pi", "infty", "inf", "infinity", "or", "and", "abs", "gcd", "lcm", "max",
    "min", "floor", "ceil", "theta", "alpha", "beta", "lambda", "mod",
}  # fmt: skip
_WORD_AS = {"sqrt": "root", "inf": "infty", "infinity": "infty", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:_\d{3})+(?!\d)|\d+\.?\d*|\.\d+"
_NUMBER_INSIDE = r"\d{1,3}(?:_\d{3})+(?!\d)|\d+\.?\d*|\.\d+"  # within brackets a comma separates
_EXPONENT = r"(?:[eE][+-]?\d{1,4}(?![\d.A-Za-z]))?"
_TOKEN = (
    r"(?P<space>\s+|~)|(?P<num>{number})|\\(?P<cmd>[A-Za-z]+)\s*|(?P<esc>\\[{{}}|%$&,;:!_\ \\])|(?P<word>[A-Za-z]+)"
    r"|(?P<op>\*\*|<=|>=|!=|==|[-+*/^_=<>(){{}}\[\]|,;:!%'&$])"
)
_OUTSIDE = re.compile(_TOKEN.format(number=f"(?:{_NUMBER}){_EXPONENT}"))
_INSIDE = re.compile(_TOKEN.format(number=f"(?:{_NUMBER_INSIDE}){_EXPONENT}"))
_TEXT_COMMANDS = {"text", "textbf", "textit", "textrm", "mbox"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+)\}")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\,|\\!,?|,\\!)(?=\d{3}(?!\d))")
_OPERATOR_NAMES = {"**": "^", "<=": "le", ">=": "ge", "!=": "ne", "==": "="}


def tokenize(text: str) -> list[Token]:
    """Tokens, with an `end` token last. Raises MathSyntaxError."""
    if len(text) > MAX_LENGTH:
        raise MathSyntaxError(f"{len(text)} characters; at most {MAX_LENGTH} are read")
    text = ascii_signs(text)
    if not text.isascii():
        for sign, command in _UNICODE.items():
            text = text.replace(sign, command)
    text = _THOUSANDS.sub("", text)
    tokens: list[Token] = []
    at, depth, spaced = 0, 0, False
    while at < len(text):
        environment = _ENVIRONMENT.match(text, at)
        if environment:
            tokens += [Token("cmd", environment[1], spaced), Token("text", environment[2], False)]
            at = environment.end()
            continue
        match = (_INSIDE if depth else _OUTSIDE).match(text, at)
        if match is None:
            raise MathSyntaxError(f"character {at}: {text[at]!r} is no mathematics")
        at = match.end()
        kind, value = match.lastgroup or "", match.group(match.lastgroup or 0)
        if kind == "space" or (kind == "esc" and value in {r"\,", r"\;", r"\:", r"\!", r"\ "}) or value == "$":
            spaced = True
            continue
        if kind == "cmd" and value in _TEXT_COMMANDS:
            end = text.find("}", at)
            if text[at : at + 1] != "{" or end < 0:
                raise MathSyntaxError(f"character {at}: \\{value} without its braces")
            tokens.append(_text_token(text[at + 1 : end], spaced))
            at, spaced = end + 1, False
            continue
        for token in _expand(kind, value, spaced):
            depth += (token.kind == "op" and token.value in {"(", "[", "\\{"}) - (
                token.kind == "op" and token.value in {")", "]", "\\}"}
            )
            tokens.append(token)
        depth, spaced = max(depth, 0), kind == "cmd" and value in _IGNORED and spaced
        if len(tokens) > MAX_TOKENS:
            raise MathSyntaxError(f"more than {MAX_TOKENS} symbols")
    return [*tokens, Token("end", "", spaced)]


def _text_token(content: str, spaced: bool) -> Token:
    content = content.strip()
    if content.casefold() in {"or", "and"}:
        return Token("cmd", content.casefold(), spaced)
    return Token("text", content, spaced)


def _expand(kind: str, value: str, spaced: bool) -> list[Token]:
    if kind == "num":
        return [Token("num", value.replace(",", ""), spaced)]
    if kind == "esc":
        return {"\\{": [Token("op", "\\{", spaced)], "\\}": [Token("op", "\\}", spaced)]}.get(
            value, [Token("op", value if value == "\\\\" else value[1:], spaced)]
        )
    if kind == "cmd":
        if value in _IGNORED:
            return []
        name = _RENAMED.get(value, value)
        if name in {"{", "}"}:
            return [Token("op", "\\" + name, spaced)]
        return [Token("op" if name in _OPERATORS else "cmd", name, spaced)]
    if kind == "word":
        lower = value.casefold()
        if lower in _WORDS:
            return [Token("cmd", _WORD_AS.get(lower, lower), spaced)]
        if len(value) > 3:
            raise MathSyntaxError(f"{value!r} is a word")
        return [Token("sym", letter, spaced and i == 0) for i, letter in enumerate(value)]
    return [Token("cmd" if value in {"<=", ">=", "!="} else "op", _OPERATOR_NAMES.get(value, value), spaced)]
