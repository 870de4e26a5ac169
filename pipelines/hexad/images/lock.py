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
    versions = root / "requirements" / "local.txt"
    lines = {name: wanted(IMAGES[name], project) for name in names}
    held = {name: _closure(lines[name]) for name in names if not IMAGES[name].gpu}
    # Asked for once: an index takes about a second for each package.
    union = sorted({package for needed in held.values() for package in needed})
    files = {locked.name: locked for locked in _report([f"{n}=={metadata.version(n)}" for n in union], "--no-deps")}
    written = [_write(root, INSTALLER, _resolved(_INSTALLER_PACKAGES, None))]
    for name, needs in lines.items():
        packages = [files[n] for n in held[name]] if name in held else _resolved(needs, versions)
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


def _resolved(lines: Iterable[str], constraints: Path | None) -> list[Locked]:
    """What pip would install, without the packages that go in alone and then with them."""
    lines = list(lines)
    alone = [line for line in lines if canonicalize_name(line) in WITHOUT_DEPENDENCIES]
    options = ["--constraint", str(constraints)] if constraints else []
    packages = _report([line for line in lines if line not in alone], *options)
    return packages + (_report(alone, "--no-deps", *options) if alone else [])


def _report(lines: list[str], *options: str) -> list[Locked]:
    """pip's installation report: https://pip.pypa.io/en/stable/reference/installation-report/"""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed",
                   "--disable-pip-version-check", "--report", str(report), *options, *lines]  # fmt: skip
        subprocess.run(command, check=True, stdout=sys.stderr)
        items = json.loads(report.read_text())["install"]
    return [
        Locked(
            canonicalize_name(item["metadata"]["name"]),
            item["metadata"]["version"],
            (item["download_info"]["archive_info"]["hashes"]["sha256"],),
            source=not item["download_info"]["url"].endswith(".whl"),
        )
        for item in items
    ]
