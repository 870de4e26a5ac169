"""Pipelines whose parameters are known only when they are compiled."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any


def with_parameters(pipeline: Callable[..., None], defaults: Mapping[str, Any]) -> Callable[..., None]:
    """The function with one parameter for each default, in order. Which there are depends on the profile, and kfp asks
    the signature."""
    pipeline.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value, annotation=type(value))
        for name, value in defaults.items()
    ])  # fmt: skip
    return pipeline
