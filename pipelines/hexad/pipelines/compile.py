"""Recipe and profile to KFP IR: one YAML file with the pipeline and its platform document."""

from collections.abc import Mapping
from pathlib import Path

from kfp import compiler

from hexad.pipelines.post_training import post_training
from hexad.pipelines.profile import Profile


def compile_pipeline(settings: Mapping[str, str], profile: Profile, target: Path) -> Path:
    """Write the compiled pipeline to `target`; the same input gives the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(post_training(settings, profile), str(target))
    return target
