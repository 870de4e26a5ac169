"""The wheelhouse: every wheel that a lock names, in one folder on the host, so that a build needs no network."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from hexad.images.requirements import Locked, render


class WheelhouseError(RuntimeError):
    """A wheel is missing or is not the locked one; the message names it and the mend."""


def fill(folder: Path, lock: Mapping[str, Locked], options: Iterable[str] = ()) -> None:
    """Fetch what `folder` lacks; sdists become wheels. pip checks every file against its locked hash.

    `options` go to pip, e.g. ("--extra-index-url", …). Raises WheelhouseError when pip cannot get one of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = contents(folder)
    missing = [package for package in lock.values() if (package.name, package.version) not in held]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(render(missing, "missing"))
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--require-hashes",
                   "--disable-pip-version-check", "--wheel-dir", str(folder), *options,
                   "--requirement", str(wanted)]  # fmt: skip
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            names = ", ".join(f"{package.name} {package.version}" for package in missing)
            raise WheelhouseError(f"{folder}: pip got not all of {names}; bring the wheels, or name their index")


def contents(folder: Path) -> dict[tuple[str, str], Path]:
    """Wheels of a folder by (canonical name, version)."""
    found: dict[tuple[str, str], Path] = {}
    for wheel in folder.glob("*.whl"):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        found[canonicalize_name(name), str(version)] = wheel
    return found


def pick(folder: Path, packages: Iterable[Locked]) -> dict[Path, Locked]:
    """The wheel of each package, with the wheel's own hash; a wheel made here from an sdist has none in the lock.

    Raises WheelhouseError for a wheel that is not there or is another than the locked one.
    """
    held = contents(folder)
    picked = {}
    for package in packages:
        wheel = held.get((package.name, package.version))
        if wheel is None:
            raise WheelhouseError(f"{folder}: no wheel of {package.name} {package.version}; run: make wheelhouse")
        digest = sha256(wheel)
        if digest not in package.hashes and not package.source:
            raise WheelhouseError(f"{wheel}: sha256 {digest} is not the locked one; delete it and run: make wheelhouse")
        picked[wheel] = Locked(package.name, package.version, (digest,))
    return picked


def own_wheel(root: Path, wheelhouse: Path, into: Path, epoch: str) -> Path:
    """Build Hexad's wheel with the wheelhouse's hatchling; the same source gives the same bytes."""
    environment = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheelhouse), "SOURCE_DATE_EPOCH": epoch}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir",
               "--disable-pip-version-check", "--wheel-dir", str(into), str(root)]  # fmt: skip
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    return next(into.glob("hexad-*.whl"))


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
