"""Base models and data files that lie as trees in the object store, where a cluster's tasks find them."""

import json
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from hexad.chat import CHATML
from hexad.chat.template import END_OF_TURN
from hexad.records import Manifest
from hexad.storage import ObjectMissing, fetch_tree, open_store, read_manifest


def is_stored(place: str) -> bool:
    """Whether a path of the recipe is a store URI."""
    return "://" in place


def fetch_files(place: str, into: Path, only: Collection[str] = ()) -> str:
    """Bring the tree of `URI` or `URI#GLOB` into a folder of `into`; the glob of its files there.

    `only`: paths in the tree of the files to bring; none: all. Raises ObjectMissing when no tree is committed at the
    URI.
    """
    uri, _, pattern = place.partition("#")
    manifest = _manifest(uri, "sources")
    chosen = [file for file in manifest.files if not only or file.path in only]
    some = manifest.model_copy(update={"files": chosen})
    folder = fetch_tree(open_store(uri), some, into / manifest.digest[:16])
    return str(folder / (pattern or "**/*"))


def fetch_base(uri: str, into: Path, without: Collection[str] = ()) -> dict[str, str]:
    """Bring the transformers model at `uri` into `into` and pin our chat template on it; {model id: revision}.

    Files whose names match a pattern of `without` are left out.
    """
    manifest = _manifest(uri, "curate.base.path")
    some = [file for file in manifest.files if not any(PurePosixPath(file.path).match(name) for name in without)]
    fetch_tree(open_store(uri), manifest.model_copy(update={"files": some}), into)
    if not (into / "config.json").is_file():
        raise FileNotFoundError(f"curate.base.path: {uri} has no config.json; put a transformers model there")
    pin_template(into)
    return dict(manifest.provenance.base_model) or {uri: manifest.digest}


def _manifest(uri: str, setting: str) -> Manifest:
    manifest = read_manifest(open_store(uri), uri)
    if manifest is None:
        raise ObjectMissing(f"{setting}: no tree is committed at {uri}; put it there with: hexad put FOLDER {uri}")
    return manifest


def pin_template(model: Path) -> None:
    """Our chat template and end of a turn. Base models end a text, and their templates add system prompts of their own.

    A model that has them keeps its bytes.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    if (tokenizer.chat_template, tokenizer.eos_token) != (CHATML, END_OF_TURN):
        tokenizer.chat_template = CHATML
        tokenizer.eos_token = END_OF_TURN
        tokenizer.save_pretrained(model)
    for name in ("config.json", "generation_config.json"):
        file = model / name
        settings = json.loads(file.read_bytes()) if file.is_file() else {}
        if settings and settings.get("eos_token_id") != tokenizer.eos_token_id:
            file.write_text(json.dumps(settings | {"eos_token_id": tokenizer.eos_token_id}, indent=1))
