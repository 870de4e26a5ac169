"""The gateway's specification is a list of 26 capabilities; each names the tests that prove it."""

import ast
import json
from pathlib import Path

HERE = Path(__file__).parent
ROWS = [json.loads(line) for line in (HERE / "capabilities.jsonl").read_text().splitlines()]


def test_all_26_capabilities_are_listed_in_order_each_with_a_test() -> None:
    assert [row["number"] for row in ROWS] == list(range(1, 27))
    assert all(row["capability"] and row["tests"] for row in ROWS)


def test_every_test_that_a_capability_names_is_there() -> None:
    there = {
        f"{file.name}::{node.name}"
        for file in HERE.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert not {name for row in ROWS for name in row["tests"]} - there
