"""Every rollout with its verdict, on disk as training goes, so that a resumed run has the whole log."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from hexad.grading.rewards import Graded
from hexad.records import Rollout


class RolloutLog:
    """Appends one JSON line per rollout; `read` keeps the last writing of each step, since a resume repeats some.

    One object is one writer: a process that trains.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self._path, self._seed = path, seed
        self._writer = time.time_ns()

    def append(self, batch: Sequence[Graded], step: int) -> None:
        samples: dict[str, int] = {}
        with self._path.open("a") as log:
            for prompt, response, verdict, finished, tokens in batch:
                sample = samples.get(prompt.id, 0)
                samples[prompt.id] = sample + 1
                rollout = Rollout(
                    prompt_id=prompt.id,
                    sample=sample,
                    seed=self._seed,
                    response=response,
                    tokens=tokens or 0,
                    verdict=verdict,
                    finish_reason="stop" if finished else "length",
                )
                row = {"step": step, "writer": self._writer, "rollout": rollout.model_dump(mode="json")}
                # Line break first: a line that a kill cut off must not swallow the next one.
                log.write("\n" + json.dumps(row))

    def read(self) -> list[Rollout]:
        """All rollouts in the order of their steps. A resume at the very step that was cut off repeats it, too."""
        steps: dict[int, list[Rollout]] = {}
        previous: tuple[int, int] | None = None
        if not self._path.exists():
            return []
        for line in self._path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the line that a kill cut off, and the empty first one
                continue
            if (row["step"], row["writer"]) != previous:
                steps[row["step"]] = []
                previous = row["step"], row["writer"]
            steps[row["step"]].append(Rollout.model_validate(row["rollout"]))
        return [rollout for step in sorted(steps) for rollout in steps[step]]
