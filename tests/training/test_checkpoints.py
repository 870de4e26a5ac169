"""Only a checkpoint that was written to its end is resumed from."""

from pathlib import Path

from transformers import TrainerControl, TrainerState, TrainingArguments

from hexad.training.checkpoints import SEAL, SealCheckpoints, last_sealed


def checkpoint(output: Path, step: int, sealed: bool) -> Path:
    folder = output / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    if sealed:
        arguments = TrainingArguments(output_dir=str(output), use_cpu=True, report_to=[])
        SealCheckpoints().on_save(arguments, TrainerState(global_step=step), TrainerControl())
    return folder


def test_nothing_to_resume_from_is_none(tmp_path: Path) -> None:
    assert last_sealed(tmp_path) is None
    assert last_sealed(tmp_path / "never made") is None


def test_a_checkpoint_that_a_kill_cut_off_is_passed_over(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 100, sealed=True)
    checkpoint(tmp_path, 150, sealed=False)
    assert last_sealed(tmp_path) == str(whole)


def test_only_cut_off_checkpoints_is_a_start_from_the_beginning(tmp_path: Path) -> None:
    checkpoint(tmp_path, 50, sealed=False)
    assert last_sealed(tmp_path) is None


def test_the_newest_is_the_one_with_the_highest_step_as_a_number(tmp_path: Path) -> None:
    checkpoint(tmp_path, 90, sealed=True)
    newest = checkpoint(tmp_path, 1000, sealed=True)
    checkpoint(tmp_path, 200, sealed=True)
    assert last_sealed(tmp_path) == str(newest)


def test_the_seal_is_the_last_thing_written_and_says_the_step(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 30, sealed=True)
    assert (folder / SEAL).read_text() == "30"
