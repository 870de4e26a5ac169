"""Checkpoints that are known to be whole.

transformers takes the highest-numbered checkpoint folder, finished or not; a kill in the middle of a save would then
break the resume. A seal is written into the folder after everything else, and only sealed ones are resumed from.
"""

import os
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SEAL = "hexad-complete"


class SealCheckpoints(TrainerCallback):
    """Marks each checkpoint as complete once the trainer has written it."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        folder = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        with (folder / SEAL).open("w") as seal:
            seal.write(str(state.global_step))
            seal.flush()
            os.fsync(seal.fileno())


def last_sealed(output: Path) -> str | None:
    """Folder of the newest complete checkpoint under `output`, or None."""
    sealed = [p.parent for p in output.glob(f"checkpoint-*/{SEAL}")]
    return str(max(sealed, key=lambda p: int(p.name.rpartition("-")[2]))) if sealed else None
