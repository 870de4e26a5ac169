"""What an entry is made of, out of the store."""

import json

from pydantic import TypeAdapter

from hexad.deployment.bundle import BUNDLE
from hexad.records import Bundle, Score
from hexad.storage import open_store

Scores = dict[str, dict[str, Score]]


def read_bundle(uri: str) -> Bundle:
    """`bundle.json` of the bundle at `uri`. Raises StorageError."""
    return Bundle.model_validate_json(open_store(uri).read_bytes(f"{uri.rstrip('/')}/{BUNDLE}"))


def read_scores(uri: str) -> Scores:
    """Cell to benchmark to score, of the tree of stage `scores` at `uri`. Raises StorageError."""
    found = json.loads(open_store(uri).read_bytes(f"{uri.rstrip('/')}/scores.json"))
    return TypeAdapter(Scores).validate_python(found["scores"])
