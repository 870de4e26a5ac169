"""Sources that are brought to this machine before they are read: trees of a store, and datasets of the hub.

    s3://bucket/place#**/*.parquet           a tree that `hexad put` committed; without '#', all of its files
    hf://datasets/org/name/data/*.parquet    the commit that the source's `revision` names

Every byte of a tree is checked by its hash. A file that is there already is not fetched again, so a run that was killed
goes on. Single objects of a store (s3://bucket/folder/*.parquet) stay there: places.py reads them by ranges.
"""

import re
from collections.abc import Collection
from pathlib import Path

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import SourceError
from hexad.curation.readers.files import SUFFIXES
from hexad.curation.readers.places import fixed_folder
from hexad.curation.stored import fetch_files

_COMMIT = re.compile(r"[0-9a-f]{40}")


def localise(source: SourceConfig, cache: Path, only: Collection[str] = ()) -> SourceConfig:
    """The source with a `path` that can be read. Raises SourceError or StorageError.

    `only`: names of the files to bring, as `find_files` gives them; none: all.
    """
    scheme, separator, _ = source.path.partition("://")
    if not separator or (scheme != "hf" and "#" not in source.path and source.path.endswith(SUFFIXES)):
        return source
    if scheme == "hf":
        return source.model_copy(update={"path": _from_hub(source, cache, only)})
    folder = fixed_folder(source.path.partition("#")[2])
    paths = {folder + name for name in only}
    return source.model_copy(update={"path": fetch_files(source.path, cache, paths)})


def _from_hub(source: SourceConfig, cache: Path, only: Collection[str]) -> str:
    found = re.fullmatch(r"hf://datasets/([^/]+/[^/]+)/(.+)", source.path)
    if not found:
        raise SourceError(f"sources: {source.path!r} is not hf://datasets/ORG/NAME/FILES; write it so")
    if not _COMMIT.fullmatch(source.revision):
        raise SourceError(
            f"sources: {source.id}: revision {source.revision!r} is no commit, and a branch moves; give the 40 "
            "hexadecimal digits that the dataset's page shows under Files > History"
        )
    from huggingface_hub import snapshot_download

    repository, pattern = found.groups()
    # The hub's client takes * for any characters and **/ for at least one folder; what it brings too much is not read.
    wanted = [fixed_folder(pattern) + name for name in only] or [pattern, pattern.replace("**/", "")]
    snapshot_download(repository, repo_type="dataset", revision=source.revision, allow_patterns=wanted, local_dir=cache)
    return str(cache / pattern)
