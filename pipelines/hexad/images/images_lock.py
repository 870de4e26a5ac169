"""images.lock.json: which images a build made. The compiler takes a profile's images from it."""

from pathlib import Path

from pydantic import Field, ValidationError

from hexad.records import Record

IMAGES_LOCK = "images.lock.json"


class BuiltImage(Record):
    """One image."""

    reference: str = Field(description="What to run: name@digest when it was pushed, else name:tag.")
    id: str = Field(description="Digest of the image's configuration, sha256:…; the same wherever it is loaded.")
    git: str = Field(description="Commit of the source inside, with '-dirty' when it was edited.")
    source: str = Field(description="Digest of the stages' source inside, as `source_digest` gives it.")
    requirements: str = Field(description="sha256 of requirements/<image>.txt.")
    sbom: str = Field(description="sha256 of the bill of materials; empty where it was not made.")
    bytes: int = Field(description="Size unpacked, its parents' layers included.")
    layers: tuple[str, ...] = Field(description="Digests of the unpacked layers, the lowest first.")


class ImagesLock(Record):
    """The whole file."""

    images: dict[str, BuiltImage]

    def reference(self, image: str) -> str:
        """Raises ValueError when `image` was not built."""
        if image not in self.images:
            have = ", ".join(self.images) or "nothing"
            raise ValueError(f"{IMAGES_LOCK} holds no image {image!r}, only {have}; run: make images ROLE={image}")
        return self.images[image].reference


def read_images_lock(file: Path) -> ImagesLock:
    """An absent file is an empty lock. Raises ValueError for a file that is not one."""
    if not file.is_file():
        return ImagesLock(images={})
    try:
        return ImagesLock.model_validate_json(file.read_bytes())
    except ValidationError as invalid:
        raise ValueError(f"{file}: {invalid.error_count()} errors, not a lock of images; run: make images") from invalid
