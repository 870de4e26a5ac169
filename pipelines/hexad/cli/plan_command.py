"""plan: what a recipe needs on a cluster, before anything is spent."""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from hexad.cli.inputs import profile_from, recipe_from, refuse, say
from hexad.pipelines.recipe import Recipe
from hexad.planning.config import Assumptions
from hexad.planning.hardware import UnknownCard
from hexad.planning.model import UnknownModel
from hexad.planning.plan import plan_run
from hexad.planning.rows import RunPlan, StagePlan


def plan(file: Path, profile_name: str, assume: Sequence[str], as_json: bool) -> int:
    """0 when nothing speaks against the run, 1 when something would not work."""
    recipe = assuming(recipe_from(file), assume)
    profile = profile_from(profile_name)
    try:
        found = plan_run(recipe, profile)
    except (UnknownModel, UnknownCard) as unknown:
        raise refuse(f"{file}: {unknown}") from unknown
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
    else:
        _show(found)
    return 1 if found.problems else 0


def assuming(recipe: Recipe, assume: Sequence[str]) -> Recipe:
    """The recipe with NAME=VALUE put over its assumptions; ends with exit code 2 on an unknown name or a bad value."""
    values = recipe.plan.assumptions.model_dump()
    for text in assume:
        name, equals, value = text.partition("=")
        if not equals or name not in values:
            raise refuse(f"--assume {text}: write NAME=VALUE; names are {', '.join(values)}")
        try:
            values[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise refuse(f"--assume {text}: {value!r} is no YAML value; write e.g. gpu=H200") from error
    try:
        assumptions = Assumptions.model_validate(values)
    except ValidationError as invalid:
        lines = (f"--assume {error['loc'][0]}={error['input']}: {error['msg']}" for error in invalid.errors())
        raise refuse("\n".join(lines)) from invalid
    return recipe.model_copy(update={"plan": recipe.plan.model_copy(update={"assumptions": assumptions})})


def _show(found: RunPlan) -> None:
    say(
        f"{found.recipe} on {found.profile}: {found.parameters / 1e9:,.4g} B parameters ({found.model_from}), "
        f"{_figure(found.weights_gb)} GB in bfloat16"
    )
    table = Table("stage", "a task has", "memory a device", "tokens", "hours", "what")
    for row in found.stages:
        table.add_row(row.stage, row.devices, _memory(row), _count(row.tokens), _hours(row.hours), row.note)
    Console().print(table)
    say(f"in all {_figure(found.hours)} hours, {_figure(found.gpu_hours)} GPU hours; --json shows the assumptions")
    for problem in found.problems:
        say(f"  {problem}")


def _memory(row: StagePlan) -> str:
    if row.memory_gb is None or row.has_gb is None:
        return ""
    return f"{_figure(row.memory_gb)} of {_figure(row.has_gb)} GB"


def _figure(number: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _count(tokens: float | None) -> str:
    if tokens is None:
        return ""
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if tokens >= size:
            return f"{_figure(tokens / size)} {unit}"
    return f"{tokens:,.0f}"


def _hours(hours: float | None) -> str:
    if hours is None:
        return ""
    return _figure(hours) if hours >= 0.01 else "0" if hours == 0 else "< 0.01"
