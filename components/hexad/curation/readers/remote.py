"""Sources in an object store or on the Hugging Face hub, brought to this machine before they are read.

    s3://bucket/place#**/*.parquet           a tree that `hexad put` committed; without '#', all of its files
    s3://bucket/folder/**/*.parquet          the store of the environment (HEXAD_S3_ENDPOINT and keys)
    hf://datasets/org/name/data/*.parquet    the commit that the source's `revision` names

A file that is there already is not fetched again, so a run that was killed goes on.
"""

import re
from pathlib import Path

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import SourceError
from hexad.curation.readers.files import SUFFIXES
from hexad.curation.stored import fetch_files
from hexad.storage import Store, open_store

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAGIC = re.compile(r"[*?\[]")


def localise(source: SourceConfig, cache: Path) -> SourceConfig:
    """The source with `path` on this machine. Raises SourceError or StorageError."""
    scheme, separator, _ = source.path.partition("://")
    if not separator:
        return source
    folder, pattern = _split(source.path)
    if scheme == "hf":
        return source.model_copy(update={"path": _from_hub(source, cache)})
    if "#" in source.path or not source.path.endswith(SUFFIXES):
        return source.model_copy(update={"path": fetch_files(source.path, cache)})
    store = open_store(source.path)
    return source.model_copy(update={"path": _from_store(store, folder, pattern, cache)})


def _from_store(store: Store, folder: str, pattern: str, cache: Path) -> str:
    wanted = _matcher(pattern)
    found = {uri.removeprefix(f"{folder}/"): uri for uri in store.list(folder)}
    chosen = {name: uri for name, uri in found.items() if wanted.fullmatch(name) and name.endswith(SUFFIXES)}
    if not chosen:
        raise SourceError(f"sources: no object matches {folder}/{pattern}; correct `path`, or upload the dataset there")
    for name, uri in sorted(chosen.items()):
        into = cache / name
        if not into.exists():
            into.parent.mkdir(parents=True, exist_ok=True)
            store.download(uri, into)
    return str(cache / pattern)


def _from_hub(source: SourceConfig, cache: Path) -> str:
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
    snapshot_download(
        repository, repo_type="dataset", revision=source.revision, allow_patterns=[pattern], local_dir=cache
    )
    return str(cache / pattern)


def _split(path: str) -> tuple[str, str]:
    """The folder above the first part with a wildcard, or above the file; and the rest."""
    parts = path.split("/")
    first = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), len(parts) - 1)
    return "/".join(parts[:first]), "/".join(parts[first:])


def _matcher(pattern: str) -> re.Pattern[str]:
    """As glob: ** is any number of folders, * and ? stay within one name."""
    text = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(text)
