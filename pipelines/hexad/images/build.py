"""Build images by a plan: lay each context, run the builder, read what it made, write images.lock.json."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from hexad.images import builders, plan
from hexad.images.images_lock import IMAGES_LOCK, BuiltImage, ImagesLock, read_images_lock
from hexad.images.lock import INSTALLER, read_lock
from hexad.images.requirements import Locked, render
from hexad.images.roles import IMAGES, with_parents
from hexad.images.sbom import Inventory, cyclonedx
from hexad.images.wheelhouse import contents, fill, own_wheel, pick, sha256


class BuildFailed(RuntimeError):
    """A builder's command failed; the message names the image, the command and where its output is."""


@dataclass(frozen=True)
class Options:
    """What the caller chooses. Folders: `root` is the repository, `wheelhouse` and `work` lie under build/."""

    root: Path
    builder: builders.Builder = "docker"
    registry: str = ""
    push: bool = False
    base_image: str = "python:3.11-slim-bookworm"
    revision: str = "dev"
    epoch: str = "0"
    """Seconds since 1970 of the commit: times inside Hexad's wheel."""
    pip_options: tuple[str, ...] = ()

    @property
    def wheelhouse(self) -> Path:
        return self.root / "build" / "wheels"

    @property
    def work(self) -> Path:
        return self.root / "build" / "images"


@dataclass(frozen=True)
class Seen:
    """What the engine says of an image."""

    id: str
    bytes: int
    layers: tuple[str, ...]
    digests: tuple[str, ...]


def build(names: tuple[str, ...], options: Options, say: Callable[[str], None]) -> ImagesLock:
    """Build the named images and what they stand on; returns images.lock.json with them in it.

    Raises BuildFailed, WheelhouseError, or ValueError for a lock that does not fit.
    """
    version = tomllib.loads((options.root / "pyproject.toml").read_text())["project"]["version"]
    installer = read_lock(options.root, INSTALLER)
    fill(options.wheelhouse, installer, options.pip_options)
    stacks = _stacks(names, options, installer)
    for stack in stacks.values():
        _build_stack(stack, options, installer, say)
    lock = read_images_lock(options.root / IMAGES_LOCK)
    built = dict(lock.images)
    source = plan.source_digest(options.root / "components" / "hexad")
    with tempfile.TemporaryDirectory() as scratch:
        wheel = own_wheel(options.root, options.wheelhouse, Path(scratch), options.epoch)
        own = {wheel: Locked("hexad", str(Version(version)), (sha256(wheel),))}
        for name in names:
            tag = plan.tag(options.registry, name, options.revision)
            context = _context(options, f"{name}-hexad", "hexad", own, installer)
            marks = plan.labels(name, version, options.revision, source)
            _run(builders.build(options.builder, str(context), tag, {"STACK": stacks[name].tag}, marks),
                 options, f"build-{name}.log")  # fmt: skip
            built[name] = _describe(name, tag, source, options)
            say(f"{name}: {built[name].reference}")
    done = ImagesLock(images={name: built[name] for name in IMAGES if name in built})
    (options.root / IMAGES_LOCK).write_text(done.model_dump_json(indent=1) + "\n")
    return done


def see(builder: builders.Builder, tag: str) -> Seen | None:
    """The image of that name; None where there is none."""
    ended = subprocess.run(builders.inspect(builder, tag), capture_output=True, text=True, check=False)
    if ended.returncode:
        return None
    found = json.loads(ended.stdout)
    if builder == "buildah":
        config = found["OCIv1"]
        size = sum(layer["size"] for layer in json.loads(found["Manifest"])["layers"])
        return Seen(f"sha256:{found['FromImageID']}", size, tuple(config["rootfs"]["diff_ids"]), ())
    image = found[0]
    identity = image["Id"] if image["Id"].startswith("sha256:") else f"sha256:{image['Id']}"
    return Seen(identity, image["Size"], tuple(image["RootFS"]["Layers"]), tuple(image.get("RepoDigests") or ()))


def _stacks(names: tuple[str, ...], options: Options, installer: Mapping[str, Locked]) -> dict[str, plan.StackPlan]:
    images = options.root / "images"
    recipes = {
        name: plan.Recipe(
            IMAGES[name],
            (images / IMAGES[name].role / "Containerfile").read_text(),
            read_lock(options.root, name),
        )
        for name in with_parents(names)
    }
    base = see(options.builder, options.base_image)
    base_id = base.id if base else options.base_image
    script = (images / "install.sh").read_text()
    return {
        stack.image.name: stack
        for stack in plan.stacks(recipes, options.base_image, base_id, installer["pip"].line(), script)
    }


def _build_stack(
    stack: plan.StackPlan, options: Options, installer: Mapping[str, Locked], say: Callable[[str], None]
) -> None:
    name = stack.image.name
    if see(options.builder, stack.tag):
        return
    say(f"{name}: {len(stack.packages)} packages on top of {stack.image.parent or options.base_image}")
    fill(options.wheelhouse, {package.name: package for package in stack.packages}, options.pip_options)
    wheels = pick(options.wheelhouse, stack.packages)
    context = _context(options, name, stack.image.role, wheels, installer)
    try:
        _run(
            builders.build(options.builder, str(context), stack.tag, stack.arguments, {}), options, f"stack-{name}.log"
        )
    finally:
        shutil.rmtree(context)
        _run(builders.prune(options.builder), options, "prune.log")


def _context(
    options: Options, name: str, role: str, wheels: Mapping[Path, Locked], installer: Mapping[str, Locked]
) -> Path:
    """A folder with just what one build reads. Wheels are linked, not copied, where the file system can."""
    context = options.work / name
    shutil.rmtree(context, ignore_errors=True)
    (context / "wheels").mkdir(parents=True)
    (context / "installer").mkdir()
    shutil.copy(options.root / "images" / role / "Containerfile", context)
    shutil.copy(options.root / "images" / "install.sh", context)
    (context / "requirements.txt").write_text(render(wheels.values(), f"What {name} adds, as the wheelhouse has it."))
    pip = contents(options.wheelhouse)["pip", installer["pip"].version]
    for wheel, folder in [*((wheel, "wheels") for wheel in wheels), (pip, "installer")]:
        try:
            os.link(wheel, context / folder / wheel.name)
        except OSError:
            shutil.copy(wheel, context / folder)
    return context


def _describe(name: str, tag: str, source: str, options: Options) -> BuiltImage:
    bill = _bill_of_materials(name, tag, options)
    digest = _push(tag, options) if options.push else ""
    seen = see(options.builder, tag)
    if seen is None:
        raise BuildFailed(f"{name}: {options.builder} built {tag} and does not have it now")
    return BuiltImage(
        reference=f"{tag.rpartition(':')[0]}@{digest}" if digest else tag,
        id=seen.id, git=options.revision, source=source, bytes=seen.bytes, layers=seen.layers, sbom=bill,
        requirements=sha256(options.root / "requirements" / f"{name}.txt"),
    )  # fmt: skip


def _bill_of_materials(name: str, tag: str, options: Options) -> str:
    """Write build/images/<name>.cdx.json from what the running image says of itself; its sha256."""
    command = ["python3", "-m", "hexad.images.inventory"]
    inventory = Inventory.model_validate_json(_run(builders.run(options.builder, tag, command), options, ""))
    file = options.work / f"{name}.cdx.json"
    file.write_text(cyclonedx(name, options.revision, inventory))
    return sha256(file)


def _push(tag: str, options: Options) -> str:
    digest_file = options.work / "pushed"
    _run(builders.push(options.builder, tag, str(digest_file)), options, "push.log")
    if options.builder != "docker":
        return digest_file.read_text().strip()
    seen = see("docker", tag)
    return pushed_digest(tag, seen.digests if seen else ())


def pushed_digest(tag: str, digests: Iterable[str]) -> str:
    """The registry's digest of `tag` among what docker names, NAME@DIGEST each. Raises BuildFailed when it is not."""
    repository = tag.rpartition(":")[0].removeprefix("docker.io/")  # docker leaves its own registry out
    found = [digest.partition("@")[2] for digest in digests if digest.startswith(f"{repository}@")]
    if not found:
        raise BuildFailed(f"{tag}: pushed, and docker names no digest of it there; look at: docker image inspect {tag}")
    return found[0]


def _run(command: list[str], options: Options, log: str) -> str:
    """Run a builder's command; its output, which `log` (a name under build/images) keeps where one is given."""
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / (log or "last.log")
    with path.open("w") as errors:
        output = errors if log else subprocess.PIPE
        ended = subprocess.run(command, stdout=output, stderr=errors, text=True, check=False, stdin=subprocess.DEVNULL)
    if ended.returncode:
        print(path.read_text()[-2000:], file=sys.stderr)  # noqa: T201  the builder's own words
        raise BuildFailed(f"{' '.join(command[:2])} failed with {ended.returncode}; its output is in {path}")
    return ended.stdout or ""
