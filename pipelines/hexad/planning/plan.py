"""The plan of a run: what each stage needs, and what would not work."""

from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.planning.checks import problems
from hexad.planning.hardware import GB
from hexad.planning.model import BYTES, parameters, shape_of
from hexad.planning.rows import RunPlan
from hexad.planning.stages import Planner


def plan_run(recipe: Recipe, profile: Profile) -> RunPlan:
    """Every stage and every problem. Raises UnknownModel, UnknownCard."""
    shape, place = shape_of(recipe.curate.base, recipe.plan.model)
    works = Planner(recipe, profile, shape).works()
    stages = tuple(work.row for work in works)
    return RunPlan(
        recipe=recipe.name,
        profile=profile.name,
        model=shape,
        model_from=place,
        parameters=parameters(shape),
        weights_gb=parameters(shape) * BYTES["bfloat16"] / GB,
        stages=stages,
        hours=sum(row.hours or 0 for row in stages),
        gpu_hours=sum((row.hours or 0) * row.gpus for row in stages),
        problems=tuple(problems(recipe, profile, shape, works)),
        assumptions=recipe.plan.assumptions,
    )
