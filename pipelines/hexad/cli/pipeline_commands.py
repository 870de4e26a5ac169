"""validate, compile and submit."""

from pathlib import Path

from hexad.cli.inputs import images_into, profile_from, recipe_from, say


def validate(file: Path) -> int:
    recipe = recipe_from(file)
    say(f"{file}: valid ({recipe.name})")
    return 0


def compile_recipe(file: Path, profile_name: str, out: Path, images: Path | None = None) -> int:
    say(f"compiled: {_compiled(file, profile_name, out, images)}")
    return 0


def submit(file: Path, profile_name: str, host: str, experiment: str, watch: bool) -> int:
    from kfp import Client

    compiled = _compiled(file, profile_name, Path("build"))
    started = Client(host=host).create_run_from_pipeline_package(
        str(compiled), arguments={}, run_name=file.stem, experiment_name=experiment, enable_caching=True
    )
    say(f"run {started.run_id}: {host.rstrip('/')}/#/runs/details/{started.run_id}")
    if not watch:
        return 0
    state = started.wait_for_run_completion().state
    say(f"run {started.run_id}: {state}")
    return 0 if state == "SUCCEEDED" else 1


def _compiled(file: Path, profile_name: str, out: Path, images: Path | None = None) -> Path:
    recipe, profile = recipe_from(file), profile_from(profile_name)
    if images is not None:
        profile = images_into(profile, images)
    from hexad.pipelines.compile import compile_pipeline
    from hexad.pipelines.settings import box_settings

    return compile_pipeline(box_settings(recipe, profile), profile, out / f"{recipe.name}-{profile.name}.yaml")
