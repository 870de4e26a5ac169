"""Where the answer is in what a model wrote: `<answer>`, last box, stated answer, or the bare answer, in that order.

A tail that was cut off (`\\boxed{5`, `<answer>4`) is never paid for an earlier answer: a policy trained on that
learns to hedge early and run into the token limit (marin-community/marin#9163).
"""

# ruff: noqa: PLR0911 - one return a case reads as a table

import re
from collections import deque
from dataclasses import dataclass

from hexad import chat
from hexad.chat.parts import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE

MAX_RESPONSE = 2_000_000  # characters; longer text is not searched
MAX_BARE = 64  # characters of a visible text that may be an answer by itself

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_STATED = re.compile(
    r"(?:^|[^A-Za-z])(?:final\s{1,4}answer|answer)\s{0,4}(?:\*\*|__)?\s{0,4}(?:is\s{0,4}:?|:|=)\s{0,4}(?:\*\*|__)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Extraction:
    """The answer's text and how it was found. `text` is None when there is no answer, and `how` then says why."""

    text: str | None
    how: str


def extract(response: str, finish_reason: str = "stop") -> Extraction:
    """The answer of a response; one of `how`: answer tag, box, stated, bare, or the reason for none."""
    if len(response) > MAX_RESPONSE:
        return Extraction(None, f"response of {len(response)} characters; at most {MAX_RESPONSE} are read")
    parts = chat.split(response)
    if not parts.closed:
        return Extraction(None, "thinking was never closed")
    visible = parts.visible
    if not visible:
        return Extraction(None, "nothing after the thinking" if parts.thinking else "empty response")
    if visible.rfind(ANSWER_OPEN) > visible.rfind(ANSWER_CLOSE):
        return Extraction(None, "cut off inside <answer>")
    if parts.answer is not None:
        tail = visible.rpartition(ANSWER_CLOSE)[2]
        if _last_box(tail) is _CUT:
            return Extraction(None, "cut off inside a box after </answer>")
        return _inside("answer tag", parts.answer)
    if finish_reason == "length" and THINK_CLOSE not in response:
        return Extraction(None, "cut off at the token limit before an answer")
    box = _last_box(visible)
    if box is _CUT:
        return Extraction(None, "cut off inside a box")
    if box is not None:
        return _filled("box", box)
    stated = _last_stated(visible)
    if stated is not None:
        return _filled("stated", stated)
    if "\n" not in visible and len(visible) <= MAX_BARE:
        return Extraction(visible, "bare")
    return Extraction(None, "no <answer>, box or stated answer")


def answer_part(response: str, finish_reason: str = "stop") -> Extraction:
    """The whole answer part, for answers that are programs: `<answer>` content, else all after the thinking."""
    if len(response) > MAX_RESPONSE:
        return Extraction(None, f"response of {len(response)} characters; at most {MAX_RESPONSE} are read")
    parts = chat.split(response)
    if not parts.closed:
        return Extraction(None, "thinking was never closed")
    if parts.visible.rfind(ANSWER_OPEN) > parts.visible.rfind(ANSWER_CLOSE):
        return Extraction(None, "cut off inside <answer>")
    if parts.answer is not None:
        return _filled("answer tag", parts.answer)
    if finish_reason == "length":
        return Extraction(None, "cut off at the token limit before an answer")
    return _filled("visible text", parts.visible)


def _inside(how: str, text: str) -> Extraction:
    box = _last_box(text)
    if box is _CUT:
        return Extraction(None, f"cut off inside a box in the {how}")
    return _filled(f"{how}, box", box) if box is not None else _filled(how, text)


def _filled(how: str, text: str) -> Extraction:
    text = text.strip()
    return Extraction(text, how) if text else Extraction(None, f"empty {how}")


_CUT = "\0cut"  # never equal to model text by identity


def _last_box(text: str) -> str | None:
    """Content of the last `\\boxed` or `\\fbox`, nested boxes opened; `_CUT` when it never closes; None without one."""
    last = _last_match(_BOX, text)
    if last is None:
        return None
    start = last.end()
    if text[start : start + 1] != "{":
        token = re.match(r"\\[A-Za-z]+|[^\s$\\{}]", text[start:])
        return token.group() if token else _CUT
    end = closing_brace(text, start)
    return text[start + 1 : end] if end is not None else _CUT


def _last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def closing_brace(text: str, start: int) -> int | None:
    """Index of the brace that closes the one at `start`, escaped braces skipped; None when it never closes."""
    depth = 0
    i = start
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 2
            continue
        if c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    return None


def _last_stated(text: str) -> str | None:
    last = _last_match(_STATED, text)
    if last is None:
        return None
    line = next((x for x in text[last.end() :].splitlines() if x.strip()), "")
    line = line.strip().strip("*_").strip()
    return re.sub(r"\.$", "", line)
