"""The manifest: what makes a tree in the object store exist (DESIGN §4)."""

import hashlib
import json
from typing import Self

from pydantic import Field, JsonValue

from hexad.records.base import Record

MANIFEST = "manifest.json"


class FileEntry(Record):
    """One file of a tree."""

    path: str = Field(description="Relative to the tree, with forward slashes.")
    bytes: int = Field(ge=0)
    sha256: str


class Provenance(Record):
    """Where a tree came from: enough to walk back to dataset revisions."""

    stage: str
    git: str = ""
    code: str = Field("", description="Digest of the source that made it.")
    image: str = ""
    config: str = Field("", description="Digest of the stage's configuration.")
    inputs: dict[str, str] = Field(default_factory=dict, description="Input name to manifest digest.")
    datasets: dict[str, str] = Field(default_factory=dict, description="Dataset id to revision.")
    base_model: dict[str, str] = Field(default_factory=dict, description="Base model id to revision.")
    seed: int = 0


class Manifest(Record):
    """Files with their hashes, and provenance. Written last: a tree without one does not exist."""

    version: int = 1
    uri: str = Field(description="Store URI of the tree, e.g. s3://bucket/prefix.")
    files: list[FileEntry]
    provenance: Provenance
    metadata: dict[str, JsonValue] = Field(default_factory=dict, description="Headline numbers for people.")

    @property
    def total_bytes(self) -> int:
        return sum(f.bytes for f in self.files)

    @property
    def digest(self) -> str:
        """sha256 over files and provenance; neither the place nor the numbers for people count."""
        content = self.model_dump(mode="json", exclude={"uri", "metadata"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def short(self) -> str:
        """The digest's first 16 digits: in names of folders and of Kubernetes objects."""
        return self.digest[:16]

    def to_json(self) -> str:
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        return cls.model_validate_json(text)
