"""A base image from Debian packages, for a machine that reaches no image registry. Needs root and debootstrap."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hexad.images import builders
from hexad.images.build import BuildFailed

NAME = "hexad/debian-python:bookworm"
"""What `make base-image` makes, and what BASE_IMAGE is then to be."""

_SUITE = "bookworm"
_PACKAGES = "python3,ca-certificates,libnuma1"
_LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "var/log", "usr/share/doc", "usr/share/man", "usr/share/locale",
             "usr/share/info", "dev", "proc", "sys", "tmp", "run", "etc/resolv.conf", "etc/hostname")  # fmt: skip
_EMPTY = ("var/log", "dev", "proc", "sys", "tmp", "run", "var/cache/apt/archives/partial")


def make_base(root: Path, builder: builders.Builder, mirror: str, security: str) -> str:
    """Build the base and return its name. `mirror` and `security`: URLs of Debian archives.

    Raises BuildFailed when this is not root, debootstrap is missing or a step fails.
    """
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise BuildFailed("make base-image needs root and debootstrap; run as root: apt-get install debootstrap")
    work = root / "build" / "images" / "debian"
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / "images" / "debian" / "Containerfile", work)
    with tempfile.TemporaryDirectory() as scratch, _in_memory(Path(scratch), work):
        system = Path(scratch) / "rootfs"
        _step(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(system), mirror], work)
        # debootstrap reads one archive; fixes of security holes come from another.
        sources = system / "etc" / "apt" / "sources.list"
        sources.write_text(f"deb {mirror} {_SUITE} main\ndeb {security} {_SUITE}-security main\n")
        upgrade = "export DEBIAN_FRONTEND=noninteractive; apt-get update -q; apt-get upgrade -qy"
        _step(["chroot", str(system), "sh", "-ec", upgrade], work)
        for name in _LEFT_OUT:
            _remove(system / name)
        for name in _EMPTY:
            (system / name).mkdir(parents=True, exist_ok=True)
        (system / "tmp").chmod(0o1777)
        archive = ["tar", "--numeric-owner", "--sort=name", "-C", str(system), "-cf", str(work / "rootfs.tar"), "."]
        _step(archive, work)
    _step(builders.build(builder, str(work), NAME, {}, {}), work)
    (work / "rootfs.tar").unlink()
    return NAME


@contextmanager
def _in_memory(folder: Path, work: Path) -> Iterator[None]:
    """dpkg waits for the disk after every file; on a tmpfs that takes no time."""
    _step(["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "hexad-base", str(folder)], work)
    try:
        yield
    finally:
        _step(["umount", str(folder)], work)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _step(command: list[str], work: Path) -> None:
    log = work / f"{command[0]}.log"
    with log.open("w") as output:
        ended = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode:
        last = log.read_text()[-500:]
        raise BuildFailed(f"{command[0]} failed with {ended.returncode}; {log} ends with:\n{last}")
