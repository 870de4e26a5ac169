"""A profile takes its images from the lock that `make images` wrote."""

from pathlib import Path

import pytest

import hexad.stage
from hexad.images.images_lock import BuiltImage, ImagesLock, read_images_lock
from hexad.images.plan import source_digest
from hexad.pipelines.built_images import stale, with_built_images
from hexad.pipelines.profile import Placement, Profile

PROFILE = Profile(name="p", store="s3://b", images={"base": "old", "train": "old", "serve": "old"})


def built(reference: str, source: str = "other") -> BuiltImage:
    return BuiltImage(
        reference=reference, id="sha256:0", git="g", source=source, requirements="", sbom="", bytes=1, layers=()
    )


def lock(**sources: str) -> ImagesLock:
    names = ("base", "train-cpu", "train-gpu", "serve-cpu", "serve-gpu")
    return ImagesLock(images={name: built(f"reg/{name}@sha256:1", sources.get(name, "other")) for name in names})


def test_every_role_gets_its_cpu_image() -> None:
    images = with_built_images(PROFILE, lock()).images
    assert images == {"base": "reg/base@sha256:1", "train": "reg/train-cpu@sha256:1", "serve": "reg/serve-cpu@sha256:1"}


def test_a_role_that_asks_for_an_accelerator_gets_the_gpu_image() -> None:
    gpu = PROFILE.model_copy(update={"placement": {"train": Placement(accelerator="nvidia.com/gpu")}})
    images = with_built_images(gpu, lock()).images
    assert images["train"] == "reg/train-gpu@sha256:1"
    assert images["serve"] == "reg/serve-cpu@sha256:1"


def test_an_image_that_was_not_built_is_refused_with_the_command_that_builds_it() -> None:
    with pytest.raises(ValueError, match=r"no image 'base', only nothing; run: make images ROLE=base"):
        with_built_images(PROFILE, ImagesLock(images={}))


def test_images_of_other_source_are_named() -> None:
    here = source_digest(Path(hexad.stage.__path__[0]).parent)
    assert stale(PROFILE, lock(base=here)) == ["train-cpu", "serve-cpu"]


def test_a_lock_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.json"
    file.write_text('{"images": 1}')
    with pytest.raises(ValueError, match=r"images\.lock\.json: 1 errors"):
        read_images_lock(file)
