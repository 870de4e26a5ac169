"""The CPU images as a real engine builds them, and the whole DAG in them. Slow: run by `pytest -m docker`.

Needs a Docker engine, and a base image in $HEXAD_BASE_IMAGE (`make base-image`); without them it fails.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hexad.images.images_lock import ImagesLock, read_images_lock
from hexad.images.roles import CPU_IMAGES
from hexad.records import Summary
from hexad.stage.boxes import BOXES

pytestmark = [pytest.mark.docker, pytest.mark.dag, pytest.mark.engine]

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("HEXAD_BASE_IMAGE", "hexad/debian-python:bookworm")
AS_ON_A_CLUSTER = ["--rm", "--network=none", "--read-only", "--tmpfs=/tmp:mode=1777", "--user=12345:0",
                   "--cap-drop=ALL", "--security-opt=no-new-privileges"]  # fmt: skip


def images(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hexad.images", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def inside(reference: str, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    run = ["docker", "run", *AS_ON_A_CLUSTER, *options, "--entrypoint=", reference, *command]
    return subprocess.run(run, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def lock() -> ImagesLock:
    built = images("build", "--base-image", BASE)
    assert built.returncode == 0, built.stdout + built.stderr
    print(built.stdout)
    return read_images_lock(ROOT / "images.lock.json")


@pytest.fixture(scope="session")
def run(lock: ImagesLock, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The tiny recipe, every task in its image, against the embedded S3 server."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    for parent in [folder.parent, *folder.parent.parents[:2]]:
        parent.chmod(0o755)  # pytest's folders are closed to other users
    command = [sys.executable, "-m", "hexad.cli.main", "run", "recipes/tiny.yaml", "--runner", "docker",
               "--out", str(folder)]  # fmt: skip
    return folder, subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_cpu_image_is_built_and_locked(lock: ImagesLock) -> None:
    assert set(CPU_IMAGES) <= set(lock.images)


@pytest.mark.parametrize("name", CPU_IMAGES)
def test_any_user_runs_it_on_a_read_only_root(lock: ImagesLock, name: str) -> None:
    program = (
        "import hexad.records, os; root = open('/proc/mounts').readline().split()[3][:2];"
        "print(os.getuid(), os.getgid(), root)"
    )
    ended = inside(lock.images[name].reference, "python3", "-c", program)
    assert ended.stdout.split() == ["12345", "0", "ro"], ended.stderr


@pytest.mark.parametrize("name", CPU_IMAGES)
def test_it_holds_neither_pip_nor_a_program_that_raises_its_rights(lock: ImagesLock, name: str) -> None:
    find = "command -v pip; find / -xdev -perm /6000 -type f"
    assert inside(lock.images[name].reference, "sh", "-c", find).stdout == ""


@pytest.mark.parametrize("name", CPU_IMAGES)
def test_its_bill_of_materials_names_every_package_of_its_lock(lock: ImagesLock, name: str) -> None:
    bill = json.loads((ROOT / "build" / "images" / f"{name}.cdx.json").read_text())
    named = {part["purl"].partition("@")[0].removeprefix("pkg:pypi/") for part in bill["components"]}
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    wanted = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert wanted <= named
    assert any(part["purl"].startswith("pkg:deb/debian/") for part in bill["components"])


def test_images_share_the_layers_of_what_they_are_built_on(lock: ImagesLock) -> None:
    base, train, serve = (set(lock.images[name].layers[:-1]) for name in ("base", "train-cpu", "serve-cpu"))
    assert base < train < serve


def test_kfp_starts_a_component_in_the_base(lock: ImagesLock) -> None:
    ended = inside(
        lock.images["base"].reference, "python3", "-m", "kfp.dsl.executor_main", "--help",
        options=("--env=_KFP_RUNTIME=true",),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_the_gateway_image_starts_the_gateway(lock: ImagesLock) -> None:
    ended = subprocess.run(
        ["docker", "run", *AS_ON_A_CLUSTER, lock.images["gateway"].reference, "--help"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "hexad.gateway.server" in ended.stdout


def test_no_image_holds_a_credential(lock: ImagesLock) -> None:
    scanned = images("scan")
    assert scanned.returncode == 0, scanned.stdout


def test_the_tiny_recipe_runs_in_the_images(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, ended = run
    log = folder / "log" / "pipeline.log"
    assert ended.returncode == 0, ended.stdout + ended.stderr + log.read_text()[-4000:]
    summary = Summary.model_validate_json((folder / "summary.json").read_bytes())
    assert summary.scores["rlvr"]["all"].questions > 0


def test_every_task_ran_in_its_image_as_another_user(
    lock: ImagesLock, run: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    folder, _ = run
    references = {image.reference for image in lock.images.values()}
    log = (folder / "log" / "pipeline.log").read_text()
    used = {reference for reference in references if f"Found image '{reference}'" in log}
    assert len(used) == len({box.image for box in BOXES.values()})
    owners = {file.stat().st_uid for file in (folder / "progress").iterdir()}
    assert owners == {os.getuid() or 12345}
