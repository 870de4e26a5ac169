"""Where the files of a source are: paths of this machine, or objects of a store, which are read by ranges in place.

data/**/*.parquet                    this machine, relative to where the run starts
s3://bucket/folder/**/*.parquet      the store of the environment (HEXAD_S3_ENDPOINT and keys)
"""

import glob
import re
from pathlib import Path
from typing import BinaryIO

from hexad.storage import open_ranged, open_store

_MAGIC = re.compile(r"[*?\[]")


def open_place(place: str) -> BinaryIO:
    """The file or object, for reading and seeking."""
    return open_ranged(open_store(place), place) if "://" in place else Path(place).open("rb")


def size_of(place: str) -> int:
    """In bytes."""
    return open_store(place).size(place) if "://" in place else Path(place).stat().st_size


def find_places(pattern: str) -> list[tuple[str, str]]:
    """What matches, in the order of names: the place, and its name below the part of the pattern without wildcards."""
    root = fixed_folder(pattern)
    if "://" not in pattern:
        found = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())
        return [(str(path), path.relative_to(root or ".").as_posix()) for path in found]
    wanted = _matcher(pattern.removeprefix(root))
    names = (uri.removeprefix(root) for uri in open_store(pattern).list(root.rstrip("/")))
    chosen = sorted((name for name in names if wanted.fullmatch(name)), key=lambda name: name.split("/"))
    return [(f"{root}{name}", name) for name in chosen]


def fixed_folder(pattern: str) -> str:
    """The folder above the first part with a wildcard, or above the file: empty, or with a slash at its end."""
    parts = pattern.split("/")
    first = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), len(parts) - 1)
    return "".join(f"{part}/" for part in parts[:first])


def _matcher(pattern: str) -> re.Pattern[str]:
    """As glob: ** is any number of folders, * and ? stay within one name."""
    text = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(text)
