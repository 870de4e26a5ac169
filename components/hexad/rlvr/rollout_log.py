"""Every rollout with its verdict, on disk as training goes, so that a resumed run has the whole log."""

import json
from collections.abc import Sequence
from pathlib import Path

from hexad.records import Prompt, Rollout, Verdict


class RolloutLog:
    """Appends one JSON line per rollout; `read` keeps the last writing of each step, since a resume repeats some."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path, self._seed = path, seed
        self.step = 0

    def append(
        self, rows: Sequence[tuple[Prompt, str, Verdict]], tokens: Sequence[int], finished: Sequence[bool]
    ) -> None:
        samples: dict[str, int] = {}
        with self._path.open("a") as log:
            for (prompt, response, verdict), count, done in zip(rows, tokens, finished, strict=True):
                sample = samples.get(prompt.id, 0)
                samples[prompt.id] = sample + 1
                rollout = Rollout(
                    prompt_id=prompt.id,
                    sample=sample,
                    seed=self._seed,
                    response=response,
                    tokens=count,
                    verdict=verdict,
                    finish_reason="stop" if done else "length",
                )
                log.write(json.dumps({"step": self.step, "rollout": rollout.model_dump(mode="json")}) + "\n")

    def read(self) -> list[Rollout]:
        """All rollouts in the order of their steps."""
        steps: dict[int, list[Rollout]] = {}
        previous = -1
        if not self._path.exists():
            return []
        for line in self._path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the line that a kill cut off
                continue
            if row["step"] != previous:
                steps[row["step"]] = []
                previous = row["step"]
            steps[row["step"]].append(Rollout.model_validate(row["rollout"]))
        return [rollout for step in sorted(steps) for rollout in steps[step]]
