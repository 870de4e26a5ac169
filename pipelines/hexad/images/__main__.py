"""`python -m hexad.images lock|wheelhouse|base|build|scan`: what the Makefile's image targets call."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hexad.images import builders
from hexad.images.build import BuildFailed, Options, build
from hexad.images.debian import make_base
from hexad.images.images_lock import IMAGES_LOCK, ImagesLock, read_images_lock
from hexad.images.lock import INSTALLER, read_lock, write_locks
from hexad.images.roles import chosen, lineage
from hexad.images.secret_exceptions import allowed
from hexad.images.secret_scan import in_archive
from hexad.images.wheelhouse import WheelhouseError, fill

_MIRROR, _SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    console = Console()
    try:
        return _COMMANDS[given.command](
            given, lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)
        )
    except (BuildFailed, WheelhouseError, ValueError, OSError) as failed:
        message = str(failed)
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr or "its output is above").strip()
        message = f"{' '.join(failed.cmd[:4])} ended with {failed.returncode}: {said}"
    except PackageNotFoundError as missing:
        message = f"{missing.name}: not installed here; run: make setup"
    print(message, file=sys.stderr)  # noqa: T201  this command's error
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hexad.images", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("--role", default="", help="a role or an image by name; default: every CPU image")
    parser.add_argument("--builder", default="docker", choices=builders.BUILDERS)
    parser.add_argument("--registry", default="", help="put before the images' names")
    parser.add_argument("--push", action="store_true", help="push, and lock by the registry's digest")
    parser.add_argument("--base-image", default=Options.base_image)
    parser.add_argument("--index", default="", help="extra index of wheels, e.g. of PyTorch's CPU builds")
    parser.add_argument("--mirror", default=_MIRROR, help="Debian archive that `base` reads")
    parser.add_argument("--security", default=_SECURITY, help="Debian archive of security fixes that `base` reads")
    return parser


def _lock(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    for path in write_locks(Path.cwd(), chosen(given.role)):
        say(str(path))
    return 0


def _wheelhouse(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    options = _options(given)
    for name in (INSTALLER, *chosen(given.role)):
        lock = read_lock(options.root, name)
        fill(options.wheelhouse, lock, options.pip_options)
        say(f"{name}: {len(lock)} wheels in {options.wheelhouse}")
    return 0


def _base(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    say(make_base(Path.cwd(), given.builder, given.mirror, given.security))
    return 0


def _build(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    lock = build(chosen(given.role), _options(given), say)
    say(f"{IMAGES_LOCK} holds {len(lock.images)} images")
    Console().print(sizes(lock))
    return 0


def _scan(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    lock = read_images_lock(Path.cwd() / IMAGES_LOCK)
    names = [name for name in chosen(given.role) if name in lock.images]
    if not names:
        raise ValueError(f"{IMAGES_LOCK} holds none of these images; run: make images")
    references = [lock.images[name].reference for name in names]
    # Only buildah saves no more than one image at a time.
    groups = [[reference] for reference in references] if given.builder == "buildah" else [references]
    findings = []
    for group in groups:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "images.tar"
            subprocess.run(builders.save(given.builder, group, str(archive)), check=True, stdout=sys.stderr)
            with archive.open("rb") as stream:
                findings += in_archive(stream, allowed)
    for finding in findings:
        say(str(finding))
    say(f"{len(findings)} findings in {', '.join(names)}")
    return 1 if findings else 0


def sizes(lock: ImagesLock) -> Table:
    """Each image's size, and what it adds to the nearest image of the lock that it is built on. In decimal MB."""
    table = Table("image", "size, MB", "adds, MB", "layers")
    for name, image in lock.images.items():
        below = [lock.images[i.name].bytes for i in list(lineage(name))[1:] if i.name in lock.images]
        adds = image.bytes - below[0] if below else image.bytes
        table.add_row(name, f"{image.bytes / 1e6:.0f}", f"{adds / 1e6:.0f}", str(len(image.layers)))
    return table


def _options(given: argparse.Namespace) -> Options:
    root = Path.cwd()
    git = ["git", "-C", str(root)]
    revision = _output([*git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
    epoch = _output([*git, "log", "-1", "--format=%ct"])
    index = ("--extra-index-url", given.index) if given.index else ()
    return Options(root, given.builder, given.registry, given.push, given.base_image, revision, epoch, index)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


_COMMANDS: dict[str, Callable[[argparse.Namespace, Callable[[str], None]], int]] = {
    "lock": _lock, "wheelhouse": _wheelhouse, "base": _base, "build": _build, "scan": _scan,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
