"""What `hexad run` and `hexad job` say when their store fails: one line with place and mend, exit code 1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import small_disk

from hexad.storage.embedded import EmbeddedS3

ROOT = Path(__file__).parents[2]
TINY = str(ROOT / "recipes" / "tiny.yaml")


def hexad(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hexad.cli.main", *arguments]
    surroundings = {**os.environ, "HEXAD_STORE_TRIES": "2", **environment}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=300, check=False)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error, when that is all the command said on stderr and it ended with exit code 1."""
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_store_that_does_not_answer(tmp_path: Path) -> None:
    keys = {"HEXAD_S3_ACCESS_KEY": "someone", "HEXAD_S3_SECRET_KEY": "something"}
    done = hexad(
        "run", TINY, "--out", str(tmp_path / "run"), "--store", "s3://hexad/tiny",
        HEXAD_S3_ENDPOINT="http://127.0.0.1:9", **keys,
    )  # fmt: skip
    line = one_line(done)
    assert "preflight failed" in line
    assert "no answer from http://127.0.0.1:9" in line
    assert "start the store or check HEXAD_S3_ENDPOINT" in line


def test_wrong_keys_are_named_but_not_shown(tmp_path: Path) -> None:
    with EmbeddedS3(tmp_path / "s3") as server:
        keys = {**server.environment(), "HEXAD_S3_SECRET_KEY": "not-the-secret"}
        done = hexad("run", TINY, "--out", str(tmp_path / "run"), "--store", "s3://hexad/tiny", **keys)
    line = one_line(done)
    assert "HEXAD_S3_SECRET_KEY" in line
    assert "not-the-secret" not in done.stdout + done.stderr


def test_a_full_disk_keeps_what_was_there_and_says_how_much_is_free(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        mine = os.urandom(900 << 10)  # the tree of the tiny recipe's data is smaller than a mebibyte
        (disk / "mine").write_bytes(mine)
        done = hexad("run", TINY, "--out", str(tmp_path / "run"), "--store", f"file://{disk}/store")
        assert (disk / "mine").read_bytes() == mine
        assert not list((disk / "store").rglob("curate/*/manifest.json"))
    line = one_line(done)
    assert "curate failed: DiskFull" in line
    assert "free space" in line


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a curate tree that `hexad job` made."""
    out = tmp_path_factory.mktemp("store")
    done = hexad("job", "curate", "--config", TINY, "--out", str(out), "--seed", "1")
    assert done.returncode == 0, done.stderr
    (tree,) = (out / "curate").iterdir()
    return tree


def test_a_corrupted_object_is_never_trained_on(curated: Path, tmp_path: Path) -> None:
    victim = max((file for file in curated.rglob("*.parquet")), key=lambda file: file.stat().st_size)
    sound = victim.read_bytes()
    victim.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    try:
        done = hexad("job", "sft", "--config", TINY, "--in", f"data={curated}", "--out", str(tmp_path / "store"))
    finally:
        victim.write_bytes(sound)
    line = one_line(done)
    assert victim.name in line
    assert "sha256" in line
    assert not list(tmp_path.rglob("manifest.json"))


def test_a_tree_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    done = hexad("job", "sft", "--config", TINY, "--in", f"data={tmp_path / 'none'}", "--out", str(tmp_path / "store"))
    assert done.returncode == 2
    assert f"{tmp_path}/none/manifest.json" in done.stderr
    assert "Traceback" not in done.stderr
