"""Which traces have the form that training teaches."""

from typing import Any

import pytest

from hexad.curation.structure import check_trace
from hexad.records import Trace

from .rows import cases


@pytest.mark.parametrize("case", cases("structure.jsonl"), ids=lambda c: c["case"])
def test_a_trace_is_kept_or_rejected_for_its_form(case: dict[str, Any]) -> None:
    messages = [{"role": role, "content": content} for role, content in case["turns"]]
    trace = Trace.model_validate({"id": "t", "domain": "math", "source": "s", "revision": "r", "messages": messages})
    assert check_trace(trace) == case["reason"]
