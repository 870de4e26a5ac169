"""validate and compile."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from hexad.cli.inputs import profile_from, recipe_from, refuse, say
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe


def validate(file: Path) -> int:
    recipe = recipe_from(file)
    say(f"{file}: valid ({recipe.name})")
    return 0


def compile_recipe(
    file: Path, profile_name: str, out: Path, images: Path | None = None,
    kind: PipelineKind = PipelineKind.POST_TRAINING, argo: bool = False,
) -> int:  # fmt: skip
    if argo and kind is not PipelineKind.POST_TRAINING:
        raise refuse(f"--format argo knows no form of the {kind.value} pipeline; compile it without --format")
    recipe, profile = recipe_from(file), profile_from(profile_name, images, this_source=True)
    target = exported(recipe, profile, out) if argo else compiled(recipe, profile, out, kind=kind)
    say(f"compiled: {target}")
    if profile.placeholders():
        say(f"note: profile {profile.name} names no real images yet; put your registry's names and digests into it")
    return 0 if (clean_export if argo else clean)(target, profile) else 1


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
    settings = box_settings(recipe, profile, every_run=every_run)
    with _writing(target):
        return compile_pipeline(settings, profile, target, every_run, kind)


def exported(recipe: Recipe, profile: Profile, out: Path) -> Path:
    """The file with the recipe's pipeline as an Argo WorkflowTemplate."""
    from hexad.argo.workflow_template import text_of, workflow_template
    from hexad.pipelines.compile import pipeline_ir
    from hexad.pipelines.settings import box_settings

    settings = box_settings(recipe, profile)
    name = f"hexad-{recipe.name}-{profile.name}"
    try:
        made = workflow_template(name, recipe.description, pipeline_ir(settings, profile), settings, profile)
    except ValueError as invalid:
        raise refuse(str(invalid)) from invalid
    target = out / f"{recipe.name}-{profile.name}-argo.yaml"
    with _writing(target):
        out.mkdir(parents=True, exist_ok=True)
        target.write_text(text_of(made))
    return target


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """End the command where the file cannot be written."""
    try:
        yield
    except OSError as error:
        say(f"{target}: cannot be written ({error.strerror}); choose another folder", error=True)
        raise typer.Exit(1) from error


def clean(file: Path, profile: Profile) -> bool:
    """Whether the lint finds nothing in a compiled pipeline; says what it finds."""
    import yaml

    from hexad.pipelines.ir_lint import lint

    # The C parser: a pipeline has thousands of lines.
    pipeline, platform, *_ = [*filter(None, yaml.load_all(file.read_bytes(), yaml.CSafeLoader)), None]
    return _none(lint(pipeline, platform, cluster=profile.cluster, mutable_images=profile.mutable_images), file)


def clean_export(file: Path, profile: Profile) -> bool:
    """The same of a WorkflowTemplate."""
    import yaml

    from hexad.argo.lint import lint

    template = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return _none(lint(template, cluster=profile.cluster, mutable_images=profile.mutable_images), file)


def _none(findings: Sequence[object], file: Path) -> bool:
    for finding in findings:
        say(f"{file}: {finding}", error=True)
    if findings:
        say(f"{len(findings)} finding{'s' if len(findings) > 1 else ''} in {file}", error=True)
    return not findings
