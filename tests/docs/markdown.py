"""What a Markdown page tells its reader to type: lines of its code blocks, and code inside its text."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

_FENCE = re.compile(r"^\s*```")
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)")


def blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of each line of a code block, fenced or indented; a backslash at its end joins the next."""
    held, start = "", 0
    for number, code in _code_lines(page.read_text()):
        if not held:
            start = number
        held += code
        if held.endswith("\\"):
            held = held[:-1]
            continue
        yield start, held
        held = ""


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    fenced, before_is_blank, indented = False, True, False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            yield number, line
        elif line.startswith("    ") and (before_is_blank or indented):
            indented = True
            yield number, line[4:]
        elif line.strip():
            indented = False
        before_is_blank = not line.strip()


def spans(page: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of each code span outside blocks."""
    code = {number for number, _ in _code_lines(page.read_text())}
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if number not in code:
            yield from ((number, span) for span in _SPAN.findall(line))


def links(page: Path) -> Iterator[str]:
    """Relative targets of links."""
    text = page.read_text()
    yield from (target for target in _LINK.findall(text) if "://" not in target)


def commands(line: str, programs: tuple[str, ...]) -> Iterator[list[str]]:
    """Each call of one of `programs` in a line of shell: its words up to a pipe, an `&&`, a comment and the like."""
    # Placeholders are words, and brackets only say that their content may be left out.
    plain = re.sub(r"<[^<>]*>", "PLACEHOLDER", line).replace("[", " ").replace("]", " ")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # prose with an apostrophe
        return
    call: list[str] = []
    for word in [*words, ";"]:
        if not set(word) <= set("();<>|&"):
            call.append(word)
            continue
        while call and (re.fullmatch(r"[A-Z_0-9]+=.*", call[0]) or call[0] in ("do", "then")):
            call = call[1:]
        if call and call[0].removeprefix(".venv/bin/") in programs:
            yield [call[0].removeprefix(".venv/bin/"), *call[1:]]
        call = []
