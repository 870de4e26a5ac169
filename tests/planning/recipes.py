"""Recipes and profiles of this repository with parts of them changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the leaves of `over`; an empty mapping in `over` empties the one below."""
    found = dict(base)
    for key, value in over.items():
        inner = base.get(key)
        found[key] = merged(inner, value) if isinstance(value, dict) and value and isinstance(inner, dict) else value
    return found


def recipe(name: str, over: Mapping[str, Any] | None = None) -> Recipe:
    """`over` may name another model, `model: 7b`, whose shape its recipe has."""
    values = yaml.safe_load(Path(f"recipes/{name}.yaml").read_text())
    changes = dict(over or {})
    if changes.pop("model", None) == "7b":
        shape = yaml.safe_load(Path("recipes/qwen2.5-7b.yaml").read_text())["plan"]["model"]
        values = merged(values, {"plan": {"model": shape}})
    return Recipe.model_validate(merged(values, changes))


def profile(name: str, over: Mapping[str, Any] | None = None) -> Profile:
    return Profile.model_validate(merged(yaml.safe_load(Path(f"profiles/{name}.yaml").read_text()), over or {}))
