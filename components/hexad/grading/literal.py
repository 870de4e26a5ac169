"""Reads a literal (JSON, or a Python literal) from model text, without handing that text to Python's own parser.

Python's `ast` can exhaust the C stack on hostile input (docs.python.org/3/library/ast.html#ast.literal_eval), so
this is a small recursive reader with a depth limit. It takes JSON plus what models write instead: True/None, single
quotes, tuples, sets, trailing commas, NaN.
"""

import re
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 64
MAX_LENGTH = 100_000  # characters
MAX_ATTEMPTS = 16  # brackets from which a literal is tried inside prose
MAX_DIGITS = 4000  # Python refuses int() of longer text by default

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")
_WORDS: dict[str, Any] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
    "NaN": float("nan"), "nan": float("nan"), "Infinity": float("inf"), "inf": float("inf"),
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_CLOSING = {"[": "]", "(": ")"}


class LiteralError(ValueError):
    """The text is no literal; the message gives the character offset."""


def read_literal(text: str) -> Any:
    """The value of a literal: None, bool, int, float, str, list (also for tuples and sets) or dict.

    Raises LiteralError.
    """
    if len(text) > MAX_LENGTH:
        raise LiteralError(f"{len(text)} characters; at most {MAX_LENGTH} are read")
    reader = _Reader(text)
    value = reader.value(0)
    reader.blank()
    if reader.at != len(text):
        raise LiteralError(f"character {reader.at}: text after the value")
    return value


def last_literal(text: str) -> Any:
    """The whole text as a literal, else the last bracketed literal in it. Raises LiteralError."""
    fenced = re.findall(r"```[A-Za-z]*\n(.*?)```", text, re.DOTALL)
    body = fenced[-1] if fenced else text
    try:
        return read_literal(body.strip())
    except LiteralError as error:
        whole = error
    attempts = 0
    end = max(body.rfind("]"), body.rfind("}"))
    for start in _bracket_starts(body[: end + 1]):
        attempts += 1
        if attempts > MAX_ATTEMPTS:
            break
        try:
            return read_literal(body[start : end + 1])
        except LiteralError:
            continue
    raise whole


def _bracket_starts(text: str) -> list[int]:
    """Where top-level brackets open, last first: scanning from the outside, so that an inner list is not taken."""
    starts, depth = [], 0
    for i, c in enumerate(text):
        if c in "[{":
            if depth == 0:
                starts.append(i)
            depth += 1
        elif c in "]}":
            depth = max(0, depth - 1)
    return starts[::-1]


@dataclass
class _Reader:
    text: str
    at: int = 0

    def blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def fail(self, what: str) -> LiteralError:
        return LiteralError(f"character {self.at}: {what}")

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        self.blank()
        c = self.text[self.at : self.at + 1]
        if c in _CLOSING and c:
            return self.sequence(_CLOSING[c], depth)
        if c == "{":
            return self.mapping(depth)
        if c and c in "\"'":
            return self.string(c)
        number = _NUMBER.match(self.text, self.at)
        if number:
            return self.number(number.group())
        word = re.compile(r"-?[A-Za-z]+").match(self.text, self.at)
        if word and word.group().lstrip("-") in _WORDS:
            self.at = word.end()
            value = _WORDS[word.group().lstrip("-")]
            return -value if word.group().startswith("-") else value
        raise self.fail("expected a value")

    def number(self, token: str) -> int | float:
        if len(token) > MAX_DIGITS:
            raise self.fail(f"a number of {len(token)} digits; at most {MAX_DIGITS} are read")
        self.at += len(token)
        return int(token) if token.lstrip("+-").isdigit() else float(token)

    def string(self, quote: str) -> str:
        out: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            c = self.text[self.at]
            if c == quote:
                self.at += 1
                return "".join(out)
            if c == "\\":
                self.at += 1
                c = self.text[self.at : self.at + 1]
                if c == "u":
                    code = self.text[self.at + 1 : self.at + 5]
                    if not re.fullmatch(r"[0-9a-fA-F]{4}", code):
                        raise self.fail("\\u without four hexadecimal digits")
                    out.append(chr(int(code, 16)))
                    self.at += 5
                    continue
                c = _ESCAPES.get(c, c)
            out.append(c)
            self.at += 1
        raise self.fail("string never closes")

    def sequence(self, close: str, depth: int) -> list[Any]:
        items: list[Any] = []
        self.at += 1
        while not self.closes(close):
            items.append(self.value(depth + 1))
            self.separator(close)
        return items

    def mapping(self, depth: int) -> dict[str, Any] | list[Any]:
        entries: dict[str, Any] = {}
        members: list[Any] = []
        self.at += 1
        while not self.closes("}"):
            key = self.value(depth + 1)
            self.blank()
            if self.text[self.at : self.at + 1] == ":":
                self.at += 1
                entries[key if isinstance(key, str) else str(key)] = self.value(depth + 1)
            else:
                members.append(key)
            self.separator("}")
        if members and entries:
            raise self.fail("a mapping with an entry that has no value")
        return members if members else entries

    def closes(self, close: str) -> bool:
        self.blank()
        if self.text[self.at : self.at + 1] == close:
            self.at += 1
            return True
        return False

    def separator(self, close: str) -> None:
        self.blank()
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
        elif self.text[self.at : self.at + 1] != close:
            raise self.fail(f"expected ',' or '{close}'")
