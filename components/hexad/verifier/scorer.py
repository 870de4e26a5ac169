"""Score responses with a fitted verifier."""

from collections.abc import Sequence
from pathlib import Path

from hexad.records import Message
from hexad.verifier.head import FILE, Head
from hexad.verifier.likelihood import Policy


class Scorer:
    """Probability that a response is right, 0..1, for (question, response) pairs.

    On the CPU unless told otherwise: where it serves, the accelerator's memory is the engine's.
    """

    def __init__(self, folder: Path | str, device: str = "cpu") -> None:
        self._head = Head.model_validate_json((Path(folder) / FILE).read_bytes())
        self._policy = Policy(folder, self._head.max_tokens, device)

    def score(self, questions: Sequence[Sequence[Message]], responses: Sequence[str]) -> list[float]:
        features = self._policy.features(list(zip(questions, responses, strict=True)))
        found: list[float] = self._head.probability(features).tolist()
        return found
