"""Rows of Guru-RL-92k (LLM360/guru-RL-92k), in verl's schema, one file for each data_source.

    data_source, prompt [messages], ability, reward_model {ground_truth, style}, extra_info {…}, qwen2.5_7b_pass_rate, …

The prefix of data_source names the domain, with two traps: the files logic__arcagi1, logic__arcagi2 and logic__barc
hold rows that call themselves simulation__arcagi1 and so on (they are grids, hence logic here), and science is
`stem_web` with one underscore. An unknown data_source is a reject, never a guess. Columns of the compressed variant
(LLM360/guru-RL-92k-extra-info-compressed) are unpacked first.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError
from hexad.curation.readers.files import Row
from hexad.curation.readers.guru_tests import functional_gold
from hexad.curation.readers.messages import read_messages
from hexad.curation.readers.packed import is_packed, unpack
from hexad.grading.literal import LiteralError, read_literal
from hexad.records import Domain, Gold, Prompt

_RATE = re.compile(r"(.+)_(?:pass|solve)_rate")


def read_guru(row: Row, source: SourceConfig) -> Prompt:
    """The row as a prompt. Raises RowError."""
    fields = {column: unpack(v, column) if is_packed(v) else v for column, v in row.fields.items()}
    name = fields.get("data_source")
    if not isinstance(name, str) or not name:
        raise RowError("no data_source", f"found {name!r}")
    domain, to_gold = _route(name)
    prompt = read_messages(fields.get("prompt"))
    if prompt[-1].role != "user":
        raise RowError("prompt does not end with a question", f"its last turn is the {prompt[-1].role}'s")
    truth = _object(fields.get("reward_model"), "reward_model").get("ground_truth")
    if truth is None or truth in ("", [], {}):
        raise RowError("no ground_truth", f"reward_model.ground_truth is {truth!r}")
    truth = unpack(truth, "ground_truth") if is_packed(truth) else truth
    return Prompt(
        id=f"{source.id}/{row.place}", domain=domain, source=f"{source.id}:{name}", revision=source.revision,
        prompt=prompt, gold=to_gold(truth), grader=domain, difficulty=_difficulty(fields),
    )  # fmt: skip


def _answer(truth: Any) -> Gold:
    """Text as it stands; the grader infers its type. HiTab joins several answers by "|", which it knows."""
    if isinstance(truth, bool) or not isinstance(truth, (str, int, float)) or str(truth) == "nan":
        raise RowError("bad ground_truth", f"expected an answer as text, found {truth!r}")
    text = str(truth).strip()
    if not text:
        raise RowError("no ground_truth", "reward_model.ground_truth is blank")
    return Gold(value=text)


def _word(truth: Any) -> Gold:
    return Gold(value=_answer(truth).value, type="text")


def _tests(truth: Any) -> Gold:
    """{"functional": a program of asserts} or {"inputs": […], "outputs": […]}, as JSON text."""
    suite = _object(truth, "ground_truth")
    code = suite.get("functional")
    if isinstance(code, str) and code.strip():
        return functional_gold(code)
    inputs, outputs = suite.get("inputs"), suite.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or not inputs or len(inputs) != len(outputs):
        raise RowError("no tests", "ground_truth has neither `functional` nor as many `inputs` as `outputs`")
    if not all(isinstance(text, str) for text in (*inputs, *outputs)):
        raise RowError("bad ground_truth", "`inputs` and `outputs` must be texts, for standard input and output")
    return Gold(value=[list(pair) for pair in zip(inputs, outputs, strict=True)], type="stdio")


def _table(truth: Any) -> Gold:
    table = _object(truth, "ground_truth")
    header, rows = table.get("header"), table.get("rows")
    if not isinstance(header, list) or not isinstance(rows, list) or not rows:
        raise RowError("bad ground_truth", "a zebra puzzle's gold needs `header` and `rows`")
    if any(not isinstance(cells, list) or len(cells) != len(header) for cells in rows):
        raise RowError("bad ground_truth", f"a row of the zebra puzzle's gold has not {len(header)} cells")
    return Gold(value={"header": header, "rows": rows}, type="table")


def _names(truth: Any) -> Gold:
    names = _literal(truth)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RowError("bad ground_truth", f"expected a list of names, found {truth!r}")
    return Gold(value=list(names), type="list")


def _grid(truth: Any) -> Gold:
    grid = _literal(truth)
    if not isinstance(grid, list) or not all(isinstance(cells, list) and cells for cells in grid):
        raise RowError("bad ground_truth", f"expected a grid of integers, found {truth!r}")
    if len({len(cells) for cells in grid}) != 1 or any(type(cell) is not int for cells in grid for cell in cells):
        raise RowError("bad ground_truth", "the grid is ragged or holds something else than integers")
    return Gold(value=grid, type="grid")


def _fragment(truth: Any) -> Gold:
    """'"output": 3': one JSON entry, without the braces around it."""
    if not isinstance(truth, str):
        raise RowError("bad ground_truth", f"expected a JSON fragment as text, found {truth!r}")
    text = truth.strip()
    return Gold(value=_object(text if text.startswith("{") else f"{{{text}}}", "ground_truth"), type="json")


_ToGold = Callable[[Any], Gold]
_ROUTES: tuple[tuple[str, Domain, _ToGold], ...] = (
    (r"(?:simulation|logic)__(?:arcagi\d?|barc)", "logic", _grid),
    (r"math__", "math", _answer),
    (r"codegen__", "code", _tests),
    (r"stem__?web", "science", _answer),
    (r"logic__zebra_puzzle", "logic", _table),
    (r"logic__ordering_puzzle", "logic", _names),
    (r"logic__graph_logical", "logic", _word),
    (r"simulation__codeio", "simulation", _fragment),
    (r"table__", "tabular", _answer),
)


def _route(data_source: str) -> tuple[Domain, _ToGold]:
    for pattern, domain, to_gold in _ROUTES:
        if re.match(pattern, data_source):
            return domain, to_gold
    raise RowError("unknown data_source", f"{data_source!r} is none of Guru's training sources")


def _object(value: Any, name: str) -> dict[str, Any]:
    """An object, or JSON text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise RowError(f"bad {name}", f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RowError(f"bad {name}", f"expected an object, found {type(value).__name__}")
    return value


def _literal(value: Any) -> Any:
    """A list, or the text of one as JSON or Python writes it."""
    if not isinstance(value, str):
        return value
    try:
        return read_literal(value.strip())
    except LiteralError as error:
        raise RowError("bad ground_truth", str(error)) from error


def _difficulty(fields: dict[str, Any]) -> dict[str, float]:
    """Pass rates by model, 0..1. Some rows of the dataset have NaN: not measured, which is not 0."""
    rates = {}
    for column, value in fields.items():
        named = _RATE.fullmatch(column)
        if not named or value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise RowError("bad pass rate", f"{column} is {value!r}, expected 0..1")
        rates[named.group(1)] = float(value)
    return rates
