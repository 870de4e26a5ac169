from pathlib import Path
from typing import Any

import pytest

from hexad.argo.workflow_template import workflow_template
from hexad.pipelines.compile import pipeline_ir
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings

RECIPE = Recipe.model_validate({"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}})


def exported(recipe: Recipe, profile: Profile) -> dict[str, Any]:
    settings = box_settings(recipe, profile)
    name = f"hexad-{recipe.name}-{profile.name}"
    return workflow_template(name, recipe.description, pipeline_ir(settings, profile), settings, profile)


@pytest.fixture(scope="session")
def gke() -> dict[str, Any]:
    return exported(RECIPE, load_profile(Path("profiles/gke.yaml")))
