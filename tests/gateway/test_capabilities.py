"""The gateway's specification is a list of 26 capabilities; each names the tests that prove it."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROWS = [json.loads(line) for line in (HERE / "capabilities.jsonl").read_text().splitlines()]


def test_all_26_capabilities_are_listed_in_order_each_with_a_test() -> None:
    assert [row["number"] for row in ROWS] == list(range(1, 27))
    assert all(row["capability"] and row["tests"] for row in ROWS)


def test_every_test_that_a_capability_names_is_collected() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", str(HERE)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parents[1]).stdout
    collected = {line.partition("[")[0].removeprefix("tests/gateway/") for line in listed.splitlines()}
    missing = {name for row in ROWS for name in row["tests"]} - collected
    assert not missing
