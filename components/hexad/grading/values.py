"""Equality of JSON values.

Rules: a boolean is no number (True != 1); 1 equals 1.0, as JSON has one number type; a tuple is a list; the order of
keys does not count; NaN equals NaN, since both sides name the same result. Floats must be equal exactly unless a
relative tolerance is given.
"""

import json
import math
from typing import Any


def equal_values(gold: Any, value: Any, tolerance: float = 0.0) -> bool:
    """Whether two JSON values are the same. `tolerance` is relative and counts only where either is a float."""
    if isinstance(gold, bool) or isinstance(value, bool):
        return isinstance(gold, bool) and isinstance(value, bool) and gold == value
    if isinstance(gold, (int, float)) and isinstance(value, (int, float)):
        return _equal_numbers(gold, value, tolerance)
    if isinstance(gold, (list, tuple)) and isinstance(value, (list, tuple)):
        return len(gold) == len(value) and all(equal_values(g, v, tolerance) for g, v in zip(gold, value, strict=True))
    if isinstance(gold, dict) and isinstance(value, dict):
        return gold.keys() == value.keys() and all(equal_values(gold[k], value[k], tolerance) for k in gold)
    return type(gold) is type(value) and bool(gold == value)


def _equal_numbers(gold: float, value: float, tolerance: float) -> bool:
    if gold == value:
        return True
    if not (isinstance(gold, float) or isinstance(value, float)):
        return False
    try:
        if math.isnan(gold) or math.isnan(value):
            return math.isnan(gold) and math.isnan(value)
        return tolerance > 0 and math.isclose(gold, value, rel_tol=tolerance)
    except OverflowError:  # an int beyond the range of float
        return False


def canonical_json(value: Any) -> str:
    """A string that is equal for equal values (tolerance 0)."""
    return json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _canonical(v) for k, v in value.items()}
    return value
