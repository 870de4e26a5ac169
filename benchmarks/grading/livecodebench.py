"""Ours against LiveCodeBench's own harness: the verdicts of `official` mode, program by program.

Two packages carry copies of the harness. lighteval's is the one of 2024, whose standard input is a StringIO;
OpenCompass has the newer standard input (an object with a buffer), which `official` follows, around other code.
"""

import contextlib
import importlib.util
import io
import json
import multiprocessing
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.grading.rows import TABLES
from rich.console import Console
from rich.table import Table

_SECONDS = 6
_HARNESS = "tasks/tasks/lcb/codegen_metrics.py"
_NEWER = ("utils/code_execution.py", "datasets/livecodebench/testing_util.py")
Accepts = Callable[[dict[str, Any]], bool]


def compare(console: Console) -> None:
    """A table: on how many programs of the tests' list each says what the other says, and where not."""
    rows = [json.loads(line) for line in (TABLES / "livecodebench.jsonl").read_text(encoding="utf-8").splitlines()]
    ours = [_official(row) for row in rows]
    title = "hexad's LiveCodeBench mode `official` against copies of the harness"
    table = Table("harness", "programs", "same verdict", "differ on", title=title, title_justify="left")
    for name, accepts in _harnesses().items():
        theirs = [accepts(row) for row in rows]
        other = [row["case"] for row, a, b in zip(rows, ours, theirs, strict=True) if a != b]
        table.add_row(name, str(len(rows)), str(len(rows) - len(other)), "; ".join(other) or "none")
    console.print(table)


def _official(row: dict[str, Any]) -> bool:
    from hexad.grading.livecodebench import run
    from hexad.records import Gold

    options = {"name": row["name"]} if row["name"] else {}
    gold = Gold(value=row["tests"], type="livecodebench", options=options)
    return run(gold, row["program"], "official").status == "correct"


def _harnesses() -> dict[str, Accepts]:
    harness = _load("lighteval", _folder("lighteval"), _HARNESS)
    folder = _folder("opencompass")
    # Its package is not run: it would import what a harness needs nothing of.
    for name in ("opencompass", "opencompass.utils"):
        sys.modules[name] = ModuleType(name)
    for path in _NEWER:
        newer = _load("opencompass", folder, path)
    older_call, newer_call = harness.call_method, newer.call_method
    return {
        f"lighteval {version('lighteval')} (2024)": lambda row: _accepts(harness, older_call, row),
        f"the same with OpenCompass {version('opencompass')}'s standard input": (
            lambda row: _accepts(harness, newer_call, row)
        ),
    }


def _accepts(harness: Any, call_method: Callable[..., Any], row: dict[str, Any]) -> bool:
    suite = {"inputs": [given for given, _ in row["tests"]], "outputs": [expected for _, expected in row["tests"]]}
    if row["name"]:
        suite["fn_name"] = row["name"]
    harness.call_method = call_method
    multiprocessing.set_start_method("fork", force=True)  # it starts a local function
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = harness.check_correctness({"input_output": json.dumps(suite)}, row["program"], _SECONDS)
        return len(found) > 0 and all(bool(result > 0) for result in found)
    except ValueError:  # `if not` on the comparison of an array leaves the harness
        return False


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


def _load(package: str, folder: Path, path: str) -> Any:
    name = f"{package}.{Path(path).with_suffix('').as_posix().replace('/', '.')}"
    spec = importlib.util.spec_from_file_location(name, folder / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
