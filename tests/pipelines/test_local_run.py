"""`hexad run` on this machine: how it fails, stops, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hexad.pipelines.run_folder import RunFolder

HEXAD = [sys.executable, "-m", "hexad.cli.main"]
RECIPE = """
name: test
preflight: {{min_free_disk_gib: 0, min_memory_gib: 0, packages: [{package}]}}
curate: {{base: {{kind: random}}, generated: {{validation: 240}}}}
"""


def command(folder: Path, package: str) -> list[str]:
    """A run over a folder store, whose preflight looks for `package`."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(package=package))
    return [*HEXAD, "run", str(recipe), "--out", str(folder / "run"), "--store", (folder / "store").as_uri()]


def tasks_of(run: Path) -> list[int]:
    """Processes that belong to the run in this folder."""
    mark = f"HEXAD_PROGRESS={run / 'progress'}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
    return found


def wait_until(condition: object, seconds: float) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run that failed in its first stage."""
    folder = tmp_path_factory.mktemp("failed")
    return folder, subprocess.run(command(folder, "no_such_package"), capture_output=True, text=True, check=False)


Failed = tuple[Path, subprocess.CompletedProcess[str]]


def test_a_failure_ends_with_one_and_one_line_that_says_stage_cause_log_and_mend(failed: Failed) -> None:
    folder, done = failed
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("preflight failed: NotReady: package no_such_package: missing: run `make setup`")
    assert str(folder / "run" / "log" / "pipeline.log") in line
    assert line.endswith("finished stages are kept.")


def test_progress_is_told_in_plain_lines_when_nobody_watches(failed: Failed) -> None:
    assert [line.split()[:2] for line in failed[1].stdout.splitlines()][-1] == ["preflight", "failed"]


def test_nothing_after_a_failed_stage_runs(failed: Failed) -> None:
    assert {file.stem.split(".")[0] for file in (failed[0] / "run" / "progress").glob("*.json")} == {"preflight"}


def test_the_log_holds_the_reason_from_the_exit_handler(failed: Failed) -> None:
    log = (failed[0] / "run" / "log" / "pipeline.log").read_text()
    assert "test: failed: preflight: package no_such_package" in log


def test_a_store_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    run = [*command(tmp_path, "json")[:-1], "s3://bucket/prefix"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HEXAD_S3")}
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "HEXAD_S3_ENDPOINT" in done.stderr


def test_a_run_that_finds_its_folder_in_use_leaves_what_the_other_one_computes_with(tmp_path: Path) -> None:
    cached = tmp_path / "run" / "kfp" / ".kfp_cache" / "key.json"
    cached.parent.mkdir(parents=True)
    cached.write_text("{}")
    run = command(tmp_path, "json")[:-2]  # the one that holds the folder has its store elsewhere, this one has none
    with RunFolder(tmp_path / "run").held():
        done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another run is using this folder" in done.stderr
    assert cached.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_stopped_run_leaves_no_process_and_frees_its_folder(number: signal.Signals, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with subprocess.Popen(
        command(tmp_path, "json"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A shell starts what it sends to the background with SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert wait_until((run / "progress" / "curate.json").exists, 60)
        assert len(tasks_of(run)) >= 3
        process.send_signal(number)
        process.wait(20)
        assert process.stderr is not None
        told = process.stderr.read().decode()
    assert wait_until(lambda: not tasks_of(run), 5)
    with RunFolder(run).held():
        pass
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert told.startswith("stopped; run the same command again")
