"""validate and compile."""

from collections.abc import Collection
from pathlib import Path

from hexad.cli.inputs import images_into, profile_from, recipe_from, say
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe


def validate(file: Path) -> int:
    recipe = recipe_from(file)
    say(f"{file}: valid ({recipe.name})")
    return 0


def compile_recipe(file: Path, profile_name: str, out: Path, images: Path | None = None) -> int:
    recipe, profile = recipe_from(file), profile_from(profile_name)
    if images is not None:
        profile = images_into(profile, images)
    target = compiled(recipe, profile, out)
    say(f"compiled: {target}")
    if profile.placeholders():
        say(f"note: profile {profile.name} names no real images yet; put your registry's names and digests into it")
    return 0 if clean(target, profile) else 1


def compiled(recipe: Recipe, profile: Profile, out: Path, every_run: Collection[str] = ()) -> Path:
    """The file with the recipe's pipeline for a profile; sections in `every_run` are computed in each run of it."""
    from hexad.pipelines.compile import compile_pipeline
    from hexad.pipelines.settings import box_settings

    kind = "-".join(["", *sorted(every_run)])
    target = out / f"{recipe.name}-{profile.name}{kind}.yaml"
    return compile_pipeline(box_settings(recipe, profile, every_run=every_run), profile, target, every_run)


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
