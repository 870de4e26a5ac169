"""Put the images that `make images` built into a profile, from images.lock.json."""

from pathlib import Path

import hexad.stage
from hexad.images.images_lock import ImagesLock
from hexad.images.plan import source_digest
from hexad.pipelines.profile import Profile


def with_built_images(profile: Profile, lock: ImagesLock) -> Profile:
    """The profile with each role's image taken from `lock`: the GPU variant where the role asks for an accelerator.

    Raises ValueError for an image that was not built.
    """
    return profile.model_copy(update={"images": {r: lock.reference(variant(r, profile)) for r in profile.images}})


def variant(role: str, profile: Profile) -> str:
    """Name of the image that `role` runs in under this profile, e.g. 'train-gpu'."""
    if role not in ("train", "serve"):
        return role
    wanted = profile.placement.get(role)  # type: ignore[call-overload]
    return f"{role}-gpu" if wanted is not None and wanted.accelerator else f"{role}-cpu"


def stale(profile: Profile, lock: ImagesLock) -> list[str]:
    """Names of the profile's images that hold other source than this: stages would be filed under this code's digest
    and computed by that."""
    here = source_digest(Path(hexad.stage.__path__[0]).parent)
    names = dict.fromkeys(variant(role, profile) for role in profile.images)
    return [name for name in names if name in lock.images and lock.images[name].source != here]
