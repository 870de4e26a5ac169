"""`python -m hexad.images`: what goes wrong ends with 1 and a line that says what, never with a traceback."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hexad.images import __main__ as images
from hexad.images.build import BuildFailed, pushed_digest

DIGEST = "sha256:" + "a" * 64


def failing(error: Exception) -> object:
    def command(*_: object) -> int:
        raise error

    return command


def test_a_folder_without_git_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert images.main(["build"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"git -C {tmp_path} describe")
    assert "ended with 128: fatal: not a git repository" in line


def test_a_package_that_is_not_installed_is_named_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(images._COMMANDS, "lock", failing(PackageNotFoundError("vllm")))
    assert images.main(["lock"]) == 1
    assert capfd.readouterr().err == "vllm: not installed here; run: make setup\n"


@pytest.mark.parametrize("tag", ["reg.example:5000/team/hexad/eval:1", "docker.io/team/hexad/eval:1"])
def test_the_digest_of_a_pushed_image_is_that_of_its_registry(tag: str) -> None:
    repository = tag.rpartition(":")[0].removeprefix("docker.io/")
    assert pushed_digest(tag, [f"other.example/hexad/eval@{DIGEST[:-1]}b", f"{repository}@{DIGEST}"]) == DIGEST


def test_an_image_without_a_digest_of_its_registry_was_not_pushed() -> None:
    with pytest.raises(BuildFailed, match=r"reg/hexad/eval:1: pushed, and docker names no digest of it there"):
        pushed_digest("reg/hexad/eval:1", [])
