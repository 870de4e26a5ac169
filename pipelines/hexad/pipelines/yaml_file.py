"""Read a YAML file into a record and report every error at once, each with its line, path, value and mend."""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hexad.records import Record

R = TypeVar("R", bound=Record)
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One error: where it is in the file, and what to do."""

    path: Keys
    message: str
    line: int | None = None
    kind: str = ""

    def __str__(self) -> str:
        place = ".".join(map(str, self.path)) or "file"
        return f"line {self.line}: {place}: {self.message}" if self.line else f"{place}: {self.message}"


class InvalidFile(ValueError):
    """A file that cannot be used, with everything that is wrong with it."""

    def __init__(self, file: Path, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


def load(file: Path, record: type[R], checks: Callable[[Mapping[str, Any]], Iterable[Problem]] | None = None) -> R:
    """Parse `file` as `record`. `checks` gets the sections that are valid by themselves and looks across them.

    Raises InvalidFile with every problem, in the order of the file.
    """
    data, lines = read(file)
    # Unknown keys go first: pydantic does not ask a section's own rules while it holds one.
    unknown = [p for p in _violations(data, record) if p.kind == "extra_forbidden"]
    known_data = _without(data, [problem.path for problem in unknown])
    problems = unknown + [p for p in _violations(known_data, record) if p.kind != "extra_forbidden"]
    reported = {problem.path for problem in problems}
    problems += [problem for problem in _not_finite(known_data) if problem.path not in reported]
    if checks is not None:
        broken = {problem.path[0] for problem in problems if problem.path and problem.kind != "extra_forbidden"}
        problems += checks(_valid_sections(known_data, record, broken))
    if problems:
        placed = [replace(problem, line=_line(problem.path, lines)) for problem in problems]
        raise InvalidFile(file, sorted(placed, key=lambda p: p.line or 0))
    return record.model_validate(data)


def read(file: Path) -> tuple[Any, dict[Keys, int]]:
    """The plain data of a YAML file, and the line of every key."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(file, [Problem((), f"cannot be read ({error}); check the path")]) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line, reason = None, str(error)
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
            line, reason = error.problem_mark.line + 1, str(error.problem)
        raise InvalidFile(file, [Problem((), f"not YAML: {reason}", line)]) from error
    if not isinstance(data, dict):
        raise InvalidFile(file, [Problem((), f"holds a {type(data).__name__}; it must hold 'key: value' lines", 1)])
    lines: dict[Keys, int] = {}
    duplicates: list[Problem] = []
    try:
        _mark(root, (), lines, duplicates)
    except RecursionError as error:
        what = "an alias (*name) refers to what holds it; write the value out"
        raise InvalidFile(file, [Problem((), what)]) from error
    if duplicates:
        raise InvalidFile(file, duplicates)
    return data, lines


def explain(error: ErrorDetails, record: type[Record]) -> Problem:
    """A pydantic error in the words of somebody who edits the file."""
    path: Keys = tuple(error["loc"])
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = sorted(_fields_at(record, path[:-1]))
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        mend = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return Problem(path, f"unknown key; {mend}", kind=kind)
    if kind == "missing":
        return Problem(path, "is missing; add it")
    if kind == "model_type":
        return Problem(path, f"is {_short(value)}; give its keys and values, as {{key: value}}")
    message = error["msg"].removeprefix("Value error, ")
    if kind in ("value_error", "assertion_error"):
        return Problem(path, message)
    return Problem(path, f"is {_short(value)}; {message[0].lower()}{message[1:]}")


def _violations(data: object, record: type[Record]) -> list[Problem]:
    try:
        record.model_validate(data)
    except ValidationError as invalid:
        return [explain(error, record) for error in invalid.errors(include_url=False)]
    return []


def _not_finite(data: Any, path: Keys = ()) -> Iterator[Problem]:
    """Numbers that satisfy any lower bound and that JSON, in which settings travel, does not know."""
    if isinstance(data, float) and not math.isfinite(data):
        yield Problem(path, f"is {data}; give a finite number")
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from _not_finite(value, (*path, key))


def _without(data: Any, paths: list[Keys]) -> Any:
    """`data` without the values at `paths`."""
    if not isinstance(data, dict):
        return data
    here = {path[0] for path in paths if len(path) == 1}
    return {key: _without(value, [path[1:] for path in paths if path[0] == key and len(path) > 1])
            for key, value in data.items() if key not in here}  # fmt: skip


def _valid_sections(data: Mapping[str, Any], record: type[Record], broken: set[str | int]) -> dict[str, Any]:
    sections = {}
    for name, field in record.model_fields.items():
        kind = field.annotation
        if name in broken:
            continue
        if name not in data:
            if not field.is_required():
                sections[name] = field.get_default(call_default_factory=True, validated_data={})
        elif isinstance(kind, type) and issubclass(kind, Record):
            sections[name] = kind.model_validate(data[name])
        else:
            sections[name] = data[name]
    return sections


def _fields_at(record: type[Record], path: Keys) -> set[str]:
    """Keys that may stand under `path`."""
    current: Any = record
    for step in path:
        fields = [r.model_fields[str(step)].annotation for r in _records_in(current) if str(step) in r.model_fields]
        # A step that is no field is an index, a mapping's key or a union's tag: the type that holds it goes on.
        current = fields[0] if fields else current
    return {name for found in _records_in(current) for name in found.model_fields}


def _records_in(kind: Any) -> list[type[Record]]:
    if isinstance(kind, type) and issubclass(kind, Record):
        return [kind]
    if get_origin(kind) in (Union, UnionType, list, tuple, dict) or get_args(kind):
        return [found for part in get_args(kind) for found in _records_in(part)]
    return []


def _mark(node: yaml.Node | None, path: Keys, lines: dict[Keys, int], duplicates: list[Problem]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            if here in lines:
                again = f"stands twice, first on line {lines[here]}; remove one"
                duplicates.append(Problem(here, again, key.start_mark.line + 1))
            lines.setdefault(here, key.start_mark.line + 1)
            _mark(value, here, lines, duplicates)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = value.start_mark.line + 1
            _mark(value, (*path, index), lines, duplicates)


def _line(path: Keys, lines: Mapping[Keys, int]) -> int | None:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
