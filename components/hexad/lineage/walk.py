"""From a tree back to all that it came from, by reading manifests out of stores."""

from collections.abc import Callable

from hexad.records import MANIFEST, Manifest
from hexad.storage import ObjectMissing, Store, open_store, read_manifest

INPUTS = "inputs"
"""Key of a manifest's metadata: input name to store URI. The provenance has the digests; this is where to look."""


def ancestors(uri: str, opened: Callable[[str], Store] = open_store) -> list[Manifest]:
    """The manifest at `uri` and those of all trees that it came from, itself first.

    An input is looked for at the URI that the manifest names, and by its digest among the trees of the same run where
    it names none. One that cannot be found, or holds another tree now, is left out: `lineage_of` then calls it missing.
    Raises ObjectMissing when no tree is committed at `uri`, StorageError for a store that cannot be read.
    """
    root = read_manifest(opened(uri), uri)
    if root is None:
        raise ObjectMissing(f"{uri}: no committed tree there; give the URI of a bundle or of another tree")
    found = {root.digest: root}
    waiting = [root]
    siblings: dict[str, dict[str, Manifest]] = {}
    while waiting:
        made = waiting.pop(0)
        places = made.metadata.get(INPUTS)
        for name, digest in sorted(made.provenance.inputs.items()):
            if digest in found:
                continue
            place = places.get(name) if isinstance(places, dict) else None
            source = read_manifest(opened(str(place)), str(place)) if place else None
            if source is None or source.digest != digest:
                run = made.uri.rsplit("/", 2)[0]
                if run not in siblings:  # a tree right below a bucket, or near the disk's root, has none
                    siblings[run] = {} if run.endswith("/") else _trees(opened(run), run)
                source = siblings[run].get(digest)
            if source is not None:
                found[digest] = source
                waiting.append(source)
    return list(found.values())


def _trees(store: Store, run: str) -> dict[str, Manifest]:
    """Digest to manifest of every tree below a run's place."""
    places = [uri.removesuffix(f"/{MANIFEST}") for uri in store.list(run) if uri.endswith(f"/{MANIFEST}")]
    manifests = (read_manifest(store, place) for place in places)
    return {manifest.digest: manifest for manifest in manifests if manifest is not None}
