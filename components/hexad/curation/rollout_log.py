"""Graded rollouts in a file, written as they come and read by prompt: a run that was killed goes on with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from hexad.records import Record, Rollout


class Attempts(Record):
    """One line of the log: every sample of one prompt."""

    prompt_id: str
    rollouts: tuple[Rollout, ...]


class RolloutLog:
    """JSON lines; what a kill cut off is forgotten when the log is opened. In memory are places, not rollouts."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        self._at: dict[str, tuple[int, int]] = {}
        self._file.seek(0)
        end = 0
        for line in self._file:
            try:
                found = Attempts.model_validate_json(line)
            except ValidationError:
                break
            if not line.endswith(b"\n"):
                break
            self._at[found.prompt_id] = (end, len(line))
            end += len(line)
        self._file.truncate(end)

    def __contains__(self, prompt_id: str) -> bool:
        return prompt_id in self._at

    def append(self, prompt_id: str, rollouts: Sequence[Rollout]) -> None:
        """Written out when this returns: it survives the process."""
        line = Attempts(prompt_id=prompt_id, rollouts=tuple(rollouts)).model_dump_json().encode() + b"\n"
        place = self._file.seek(0, 2)
        self._file.write(line)
        self._file.flush()
        self._at[prompt_id] = (place, len(line))

    def read(self, prompt_id: str) -> tuple[Rollout, ...]:
        """Samples of a prompt that is in the log."""
        place, length = self._at[prompt_id]
        self._file.seek(place)
        return Attempts.model_validate_json(self._file.read(length)).rollouts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()
