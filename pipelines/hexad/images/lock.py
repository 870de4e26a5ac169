"""Make the locks: `requirements/<image>.txt`, from pyproject.toml's extras and the versions tested here.

A CPU image gets the versions of the environment that runs this (`make setup` installs requirements/local.txt, which
the tests run on). What that environment cannot hold, CUDA stacks and build tools, pip resolves against the index.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from hexad.images.requirements import Locked, closure, parse, render
from hexad.images.roles import EXCLUDED, IMAGES, WITHOUT_DEPENDENCIES, Image, lineage

INSTALLER = "installer"
"""Name of the lock of what builds: pip, which the images do not keep, and hatchling for Hexad's own wheel."""

_INSTALLER_PACKAGES = ("pip", "hatchling")
CPU_SIDE = ("train-cpu", "gateway", "eval")
"""Locks whose versions the GPU images keep."""

_TITLE = "Locked by `make image-locks` for Linux x86-64, Python 3.11; do not edit."


def wanted(image: Image, project: Mapping[str, object]) -> list[str]:
    """Requirement lines of an image and of all it is built on; `project` is pyproject's [project] table."""
    extras: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    dependencies: list[str] = project["dependencies"]  # type: ignore[assignment]
    ancestry = list(lineage(image.name))
    return [*dependencies, *(line for i in ancestry for e in i.extras for line in extras[e]),
            *(name for i in ancestry for name in i.also)]  # fmt: skip


def write_locks(root: Path, names: Iterable[str]) -> list[Path]:
    """Write the locks of the named images and of the installer; their paths."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = {name: wanted(IMAGES[name], project) for name in names}
    held = {name: _closure(lines[name]) for name in lines if not IMAGES[name].gpu}
    with tempfile.TemporaryDirectory() as scratch:
        pip = Pip(Path(scratch))
        # Asked for once: an index takes about a second for each package.
        union = sorted({package for needed in held.values() for package in needed})
        exact = pip.report([f"{package}=={metadata.version(package)}" for package in union], "--no-deps")
        files = {locked.name: locked for locked in exact}
        written = [_write(root, INSTALLER, pip.report(_INSTALLER_PACKAGES))]
        for name, needs in lines.items():
            packages = [files[n] for n in held[name]] if name in held else _resolved(pip, root, name, needs)
            written.append(_write(root, name, packages))
    return written


def read_lock(root: Path, name: str) -> dict[str, Locked]:
    """The packages of `requirements/<name>.txt`; none for the empty name."""
    if not name:
        return {}
    path = root / "requirements" / f"{name}.txt"
    return parse(path.read_text(), str(path.relative_to(root)))


def _write(root: Path, name: str, packages: Iterable[Locked]) -> Path:
    path = root / "requirements" / f"{name}.txt"
    path.write_text(render(packages, _TITLE))
    return path


def _closure(lines: list[str]) -> set[str]:
    """Packages of this environment that an image needs."""
    return closure(lines, lambda name: metadata.requires(name) or (), EXCLUDED, WITHOUT_DEPENDENCIES)


def _resolved(pip: "Pip", root: Path, name: str, lines: list[str]) -> list[Locked]:
    """A GPU image: what pip resolves, with the versions of the CPU images' locks where those have the package."""
    tested = {n: package for cpu in CPU_SIDE for n, package in read_lock(root, cpu).items()}
    below = read_lock(root, IMAGES[name].parent) if IMAGES[IMAGES[name].parent].gpu else {}
    versions = {n: package.version.partition("+")[0] for n, package in (tested | below).items()}
    alone = [line for line in lines if canonicalize_name(line) in WITHOUT_DEPENDENCIES]
    # '===' takes the index's own build, which brings CUDA, and no local one such as 2.13.0+cpu.
    followed = [line for line in lines if line not in alone] + [f"torch==={versions['torch']}"]
    constraints = [f"{n}=={version}" for n, version in versions.items() if n != "torch"]
    return pip.report(followed, constraints=constraints) + pip.report(
        [f"{line}=={versions[line]}" for line in alone], "--no-deps"
    )


class Pip:
    """The newest pip, from its wheel: older ones download every wheel in full to say what they would install."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "pip"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        self._wheel = next(folder.glob("pip-*.whl"))

    def report(self, lines: Iterable[str], *options: str, constraints: Iterable[str] = ()) -> list[Locked]:
        """What pip would install: https://pip.pypa.io/en/stable/reference/installation-report/"""
        lines = list(lines)
        if not lines:
            return []
        limits, report = self._folder / "constraints.txt", self._folder / "report.json"
        limits.write_text("".join(f"{line}\n" for line in constraints))
        command = [sys.executable, f"{self._wheel}/pip", "install", "--dry-run", "--quiet", "--ignore-installed",
                   "--constraint", str(limits), "--report", str(report), *options, *lines]  # fmt: skip
        subprocess.run(command, check=True, stdout=sys.stderr)
        return [
            Locked(
                canonicalize_name(item["metadata"]["name"]),
                item["metadata"]["version"],
                (item["download_info"]["archive_info"]["hashes"]["sha256"],),
                source=not item["download_info"]["url"].endswith(".whl"),
            )
            for item in json.loads(report.read_text())["install"]
        ]
