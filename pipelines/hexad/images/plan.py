"""What building an image takes: contexts, tags, arguments and labels. Pure; `build.py` carries it out.

Each image is built in two steps. Its stack is its parent's stack and the packages that its lock adds; the tag is a
digest of what the stack is made of, so an unchanged one is found and not built. The image is the stack and Hexad.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hexad.images.requirements import Locked, added
from hexad.images.roles import Image

SOURCE_LABEL = "hexad.source"
"""Label with the digest of the stages' source inside an image."""

_REVISION = "org.opencontainers.image.revision"  # https://specs.opencontainers.org/image-spec/annotations/
_GPU_ARGUMENTS = {"NVIDIA_VISIBLE_DEVICES": "all"}


@dataclass(frozen=True)
class Recipe:
    """What an image's stack is made of: text of its Containerfile and of its lock."""

    image: Image
    containerfile: str
    lock: Mapping[str, Locked]


@dataclass(frozen=True)
class StackPlan:
    """One stack to build."""

    image: Image
    tag: str
    arguments: Mapping[str, str]
    packages: tuple[Locked, ...]
    """What it installs on top of its parent."""


def stacks(
    recipes: Mapping[str, Recipe], base_image: str, base_id: str, installer: str, script: str
) -> list[StackPlan]:
    """Stacks of `recipes` (by image, parents included), parents first.

    `base_id` is the base image's own digest: a new base under the old name makes new stacks. `installer` is pip's
    version and `script` the text of install.sh.
    """
    keys: dict[str, str] = {}
    plans = []
    for name, recipe in recipes.items():
        parent = recipe.image.parent
        packages = added(recipe.lock, recipes[parent].lock if parent else {})
        lines = [package.line() for package in packages]
        keys[name] = _digest([keys.get(parent, base_id), recipe.containerfile, installer, script, *lines])
        arguments = {"PARENT": stack_tag(parent, keys[parent])} if parent else {"BASE_IMAGE": base_image}
        if recipe.image.gpu and "NVIDIA_VISIBLE_DEVICES" in recipe.containerfile:
            arguments |= _GPU_ARGUMENTS
        plans.append(StackPlan(recipe.image, stack_tag(name, keys[name]), arguments, tuple(packages)))
    return plans


def stack_tag(name: str, key: str) -> str:
    return f"hexad/{name}-stack:{key}"


def tag(registry: str, name: str, revision: str) -> str:
    """Name of an image, e.g. 'registry.example/team/hexad/eval:0123456789ab'; without a registry 'hexad/eval:…'."""
    return f"{registry.rstrip('/')}/hexad/{name}:{revision}".lstrip("/")


def labels(name: str, version: str, revision: str, source: str) -> dict[str, str]:
    """OCI labels. No time and no source URL: the same commit gives the same image anywhere."""
    return {
        "org.opencontainers.image.title": f"hexad-{name}",
        "org.opencontainers.image.version": version,
        _REVISION: revision,
        "org.opencontainers.image.licenses": "Apache-2.0",
        SOURCE_LABEL: source,
    }


def source_digest(root: Path) -> str:
    """Digest of every file under `root`, the folder of the stages' source; the command line is elsewhere."""
    content = hashlib.sha256()
    for file in sorted(file for file in root.rglob("*") if file.is_file() and file.parent.name != "__pycache__"):
        content.update(f"{file.relative_to(root)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
    return content.hexdigest()[:16]


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
