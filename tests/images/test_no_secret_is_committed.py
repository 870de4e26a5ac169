"""No credential in what is committed, and none in what a cluster gets; each search finds one that is planted."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.images.planted import SECRETS

from hexad.images.secret_scan import KINDS, Finding, in_file
from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.profile import Profile, load_profile
from hexad.pipelines.recipe import load_recipe
from hexad.pipelines.settings import box_settings

PROFILES = sorted(Path("profiles").glob("*.yaml"))


def findings(files: Iterable[Path], root: Path) -> set[Finding]:
    return {found for file in files for found in in_file(str(file.relative_to(root)), file.read_bytes())}


def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def compiled(profile: Profile, folder: Path) -> Path:
    settings = box_settings(load_recipe(Path("recipes/k2-think-32b.yaml")), profile)
    return compile_pipeline(settings, profile, folder / "pipeline.yaml")


@pytest.mark.skipif(not Path(".git").exists(), reason="the list of committed files is git's")
def test_no_tracked_file_holds_a_credential() -> None:
    files = tracked(Path.cwd())
    assert len(files) > 400
    assert findings(files, Path.cwd()) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_credential_in_a_tracked_file_is_found(kind: str, tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(f"value: {SECRETS[kind]}\n")
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "settings.yaml"], check=True)
    assert findings(tracked(tmp_path), tmp_path) == {Finding("settings.yaml", kind)}


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_no_compiled_pipeline_of_the_32b_recipe_holds_a_credential(file: Path, tmp_path: Path) -> None:
    assert findings([compiled(load_profile(file), tmp_path)], tmp_path) == set()


def test_a_credential_of_each_kind_that_a_profile_carries_is_found_in_the_compiled_pipeline(tmp_path: Path) -> None:
    """Long values are not broken into lines where the scan would miss them."""
    profile = load_profile(Path("profiles/gke.yaml"))
    leaking = profile.model_copy(update={"environment": dict(zip("ABCDEFGHI", SECRETS.values(), strict=True))})
    assert findings([compiled(leaking, tmp_path)], tmp_path) == {Finding("pipeline.yaml", kind) for kind in KINDS}
