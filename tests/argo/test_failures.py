"""The exit handler names the step that failed first, in whatever form Argo tells it."""

import json
from pathlib import Path

import pytest

from hexad.argo.failures import first_failure

CASES = [json.loads(line) for line in (Path(__file__).parent / "failures.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["case"])
def test_the_first_failure_is_one_line(row: dict[str, str]) -> None:
    assert first_failure(row["told"]) == row["says"]
