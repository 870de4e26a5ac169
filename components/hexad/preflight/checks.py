"""Each check looks at one thing and returns what it found, with the mend where it is not enough."""

import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

from pydantic import Field

from hexad.records import Record

GIB = 1 << 30
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


class Finding(Record):
    """One check's outcome; `mend` is empty when it passed, and when nobody could look."""

    check: str
    found: str
    mend: str = ""
    judged: bool = Field(True, description="False: `found` says why it could not be checked. That is no failure.")

    @property
    def result(self) -> str:
        """For people: what to do, or that there is nothing to do."""
        return self.mend or ("ok" if self.judged else "not checked")

    @property
    def line(self) -> str:
        """Place, value, mend in one line."""
        return f"{self.check}: {self.found}: {self.result}"


def free_disk(folder: Path, least_gib: float) -> Finding:
    """Free space of the file system that holds `folder`, which need not exist yet."""
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    free = shutil.disk_usage(existing).free / GIB
    mend = "" if free >= least_gib else f"free {least_gib - free:.1f} GiB or choose another folder with --out"
    return Finding(check=f"disk for {folder}", found=f"{free:.1f} GiB free, {least_gib:g} needed", mend=mend)


def writable(folder: Path) -> Finding:
    """Whether this process can write in `folder`, which need not exist yet. Nothing is left there."""
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    check = f"writing in {folder}"
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding(check=check, found="works")
    except OSError as error:
        owner = existing.stat()
        found = (
            f"{existing}: {error.strerror}: it is user {owner.st_uid}'s and group {owner.st_gid}'s "
            f"({stat.filemode(owner.st_mode)}), and this is user {os.geteuid()} in group {os.getegid()}"
        )
        mend = "give volumes a group that pods are in (fsGroup; docs/troubleshooting.md), or choose another --out"
        return Finding(check=check, found=found, mend=mend)


def memory(least_gib: float, available_bytes: int | None = None) -> Finding:
    """Memory that new processes can have, within this container's limit."""
    available = (_available_memory() if available_bytes is None else available_bytes) / GIB
    mend = "" if available >= least_gib else "close other programs, or lower preflight.min_memory_gib"
    return Finding(check="memory", found=f"{available:.1f} GiB available, {least_gib:g} needed", mend=mend)


def package(name: str) -> Finding:
    """Whether a module can be found; nothing is imported."""
    try:
        present = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that the name lies in
        present = False
    mend = "" if present else "run `make setup`, or install the extra that brings it (pyproject.toml)"
    return Finding(check=f"package {name}", found="present" if present else "missing", mend=mend)


def path(name: str) -> Finding:
    """Whether a file or folder exists."""
    present = Path(name).exists()
    mend = "" if present else "correct preflight.paths or put the files there"
    return Finding(check=f"path {name}", found="present" if present else "missing", mend=mend)


def _available_memory() -> int:
    available = _fields(_MEMINFO)["MemAvailable"] * 1024
    limit = _CGROUP / "memory.max"
    if limit.exists() and limit.read_text().strip() != "max":
        # The group's use counts file pages, which the kernel drops as soon as somebody needs memory.
        used = int((_CGROUP / "memory.current").read_text()) - _fields(_CGROUP / "memory.stat")["inactive_file"]
        available = min(available, int(limit.read_text()) - used)
    return available


def _fields(path: Path) -> dict[str, int]:
    rows = (line.replace(":", " ").split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows}
