"""put: a folder as a tree in the store, so that tasks on a cluster find base models and data there."""

from pathlib import Path

from hexad.cli.inputs import refuse, say
from hexad.records import MANIFEST, Provenance
from hexad.storage import BadStoreUri, StorageError, commit_tree, open_store


def put(folder: Path, uri: str, identity: str, revision: str) -> int:
    """Commit `folder` at `uri`. Sending again what was broken off goes on; a place holds one tree for ever."""
    if not folder.is_dir():
        raise refuse(f"{folder}: no such folder")
    if (folder / MANIFEST).exists():
        raise refuse(f"{folder}/{MANIFEST}: a tree's manifest goes by that name; move the file away")
    model = (folder / "config.json").is_file()
    named = {identity or folder.name: revision}
    provenance = Provenance(stage="put", base_model=named if model else {}, datasets={} if model else named)
    try:
        manifest = commit_tree(open_store(uri), folder, uri, provenance, {})
    except BadStoreUri as error:
        raise refuse(str(error)) from error
    except (StorageError, OSError) as error:
        say(str(error), error=True)
        return 1
    what = "model" if model else "data"
    say(f"{what} {identity or folder.name} at {revision}: {len(manifest.files)} files, {manifest.total_bytes} bytes")
    say(f"{manifest.uri} {manifest.digest}")
    return 0
