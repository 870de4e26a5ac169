"""validate and compile."""

from collections.abc import Collection
from pathlib import Path

from hexad.cli.inputs import images_into, profile_from, recipe_from, refuse, say
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe


def validate(file: Path) -> int:
    recipe = recipe_from(file)
    say(f"{file}: valid ({recipe.name})")
    return 0


def compile_recipe(file: Path, profile_name: str, out: Path, images: Path | None, kind: PipelineKind) -> int:
    recipe, profile = recipe_from(file), profile_from(profile_name)
    if images is not None:
        profile = images_into(profile, images)
    target = compiled(recipe, profile, out, kind=kind)
    say(f"compiled: {target}")
    if profile.placeholders():
        say(f"note: profile {profile.name} names no real images yet; put your registry's names and digests into it")
    return 0 if clean(target, profile) else 1


def compiled(
    recipe: Recipe, profile: Profile, out: Path, every_run: Collection[str] = (),
    kind: PipelineKind = PipelineKind.POST_TRAINING,
) -> Path:  # fmt: skip
    """The file with the recipe's pipeline for a profile; sections in `every_run` are computed in each run of it."""
    from hexad.pipelines.compile import compile_pipeline
    from hexad.pipelines.settings import box_settings

    if kind is PipelineKind.CORPUS and not recipe.curate.sources:
        raise refuse("curate.sources is empty: there is no corpus to make; name sources, or compile without --pipeline")
    marks = [*([kind.value] if kind is not PipelineKind.POST_TRAINING else []), *sorted(every_run)]
    target = out / f"{'-'.join([recipe.name, profile.name, *marks])}.yaml"
    return compile_pipeline(box_settings(recipe, profile, every_run=every_run), profile, target, every_run, kind)


def clean(file: Path, profile: Profile) -> bool:
    """Whether the lint finds nothing in a compiled pipeline; says what it finds."""
    import yaml

    from hexad.pipelines.ir_lint import lint

    # The C parser: a pipeline has thousands of lines.
    pipeline, platform, *_ = [*filter(None, yaml.load_all(file.read_bytes(), yaml.CSafeLoader)), None]
    findings = lint(pipeline, platform, cluster=profile.cluster, mutable_images=profile.mutable_images)
    for finding in findings:
        say(f"{file}: {finding}", error=True)
    if findings:
        say(f"{len(findings)} finding{'s' if len(findings) > 1 else ''} in {file}", error=True)
    return not findings
