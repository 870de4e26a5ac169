"""Small bundles in stores, made for tests."""

from pathlib import Path

from hexad.records import Bundle, Manifest, Provenance
from hexad.storage import commit_tree, open_store


def bundle_folder(folder: Path, weights: bytes = b"weights" * 1000, **fields: object) -> Path:
    """A folder like a serve stage's tree, with a target that has a config and no more."""
    (folder / "target").mkdir(parents=True)
    (folder / "target" / "config.json").write_text('{"vocab_size": 100, "max_position_embeddings": 512}')
    (folder / "target" / "model.safetensors").write_bytes(weights)
    known = {
        "name": "k", "target": "1", "draft": None, "verifier": None, "chat_template_sha256": "0", "max_model_len": 512,
    }  # fmt: skip
    bundle = Bundle.model_validate(known | fields)
    (folder / "bundle.json").write_text(bundle.model_dump_json())
    return folder


def committed(folder: Path, uri: str, weights: bytes = b"weights" * 1000, **fields: object) -> Manifest:
    """Such a bundle, committed at `uri`."""
    made = bundle_folder(folder, weights, **fields)
    return commit_tree(open_store(uri), made, uri, Provenance(stage="serve"), {})
