"""What a run's folder remembers, and that one run at a time holds it."""

import subprocess
import sys
from pathlib import Path

import pytest

from hexad.pipelines.run_folder import FolderInUse, RunFolder

HOLD = """
import sys
from pathlib import Path
from hexad.pipelines.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FolderInUse, match="another run is using this folder"), RunFolder(tmp_path).held():
            pass
        other.kill()
    with RunFolder(tmp_path).held():
        pass


def test_from_raises_the_attempt_of_a_stage_and_of_all_after_it_for_good(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).attempts() == {}
    RunFolder(tmp_path).attempts("report")
    RunFolder(tmp_path).attempts("gate")
    assert RunFolder(tmp_path).attempts() == {"gate": 1, "report": 2}


def test_seconds_are_kept_per_tree_and_for_the_next_estimate(tmp_path: Path) -> None:
    RunFolder(tmp_path).remember({"sft": 10.0}, {"sft": "s3://a/sft/1"})
    RunFolder(tmp_path).remember({"sft": 12.0, "gate": 1.0}, {"sft": "s3://a/sft/2"})
    memory = RunFolder(tmp_path).memory()
    assert memory.last == {"sft": 12.0, "gate": 1.0}
    assert memory.trees == {"sft s3://a/sft/1": 10.0, "sft s3://a/sft/2": 12.0}
