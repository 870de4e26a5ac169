"""Values of model code on their way out of the sandbox."""

import sys
from typing import Any

_DEEPEST = 50


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON: containers as ["list", item, ...], dicts as ["dict", [key, value], ...], others ["other", type].

    Subclasses and numpy's scalars count as what they are a kind of, as == takes them. One that lies about what it
    equals gains nothing: the data is compared elsewhere.
    """
    if depth > _DEEPEST:
        raise ValueError(f"result nested deeper than {_DEEPEST}")
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        value = value.item()
    for scalar in (bool, int, float, str):
        if isinstance(value, scalar):
            return scalar(value)
    if isinstance(value, dict):
        return ["dict", *([plain(k, depth + 1), plain(v, depth + 1)] for k, v in value.items())]
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return [kind.__name__, *(plain(item, depth + 1) for item in value)]
    return None if value is None else ["other", type(value).__name__[:80]]
