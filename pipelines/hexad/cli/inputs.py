"""Read what commands are given, or end with exit code 2 and every error."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import Recipe, load_recipe
from hexad.pipelines.yaml_file import InvalidFile
from hexad.records import Summary

BAD_INPUT = 2
T = TypeVar("T")


def say(text: str, error: bool = False) -> None:
    """Plain text: no markup, no wrapping, so that lines can be read by tools."""
    Console(stderr=error).print(text, markup=False, highlight=False, soft_wrap=True)


def recipe_from(file: Path) -> Recipe:
    return read_with(load_recipe, file)


def profile_from(name: str, images: Path | None = None, this_source: bool = False) -> Profile:
    """A profile by name (profiles/NAME.yaml here or beside the source) or by file; its images from a lock, if given."""
    named = Path("profiles") / f"{name}.yaml"
    beside_source = Path(__file__).parents[3] / named
    file = next((path for path in (Path(name), named, beside_source) if path.is_file()), named)
    profile = read_with(load_profile, file)
    return profile if images is None else images_into(profile, images, this_source)


def summary_of(file: Path) -> Summary:
    """What a finished run wrote down of itself."""
    try:
        return Summary.model_validate_json(file.read_bytes())
    except ValidationError as invalid:
        count = invalid.error_count()
        what = f"not a run's summary ({count} error{'s' if count > 1 else ''})"
        raise refuse(f"{file}: {what}; run the recipe again, which computes nothing that is there") from invalid


def images_into(profile: Profile, lock: Path, this_source: bool) -> Profile:
    """The profile with its images from a lock that `make images` wrote. `this_source`: they must hold this source."""
    from hexad.images.images_lock import read_images_lock
    from hexad.pipelines.built_images import stale, with_built_images

    try:
        built = read_images_lock(lock)
        pinned = with_built_images(profile, built)
    except ValueError as invalid:
        raise refuse(str(invalid)) from invalid
    if this_source and (old := stale(profile, built)):
        raise refuse(
            f"{lock}: {', '.join(old)}: built from other source; run make images, or give `hexad run` --mount-source"
        )
    return pinned


def refuse(message: str) -> typer.Exit:
    """Say what is wrong with the input; the exception to raise."""
    say(message, error=True)
    return typer.Exit(BAD_INPUT)


def read_with(load: Callable[[Path], T], file: Path) -> T:
    """What `load` makes of a file, or the end of the command with every error in it."""
    try:
        return load(file)
    except InvalidFile as invalid:
        count = len(invalid.problems)
        say(f"{invalid}\n{count} error{'s' if count > 1 else ''} in {file}", error=True)
        raise typer.Exit(BAD_INPUT) from invalid
