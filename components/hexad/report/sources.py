"""Read what the stages left behind, as far as it is there: a report must come out of an incomplete run too.

Every file may be missing, cut off or of another shape in places. What can be read is kept, what cannot becomes a
note that the page prints.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from hexad.records import Bundle, Delta, Manifest, Overlap, Score, VerifierSummary

STAGE_OF_INPUT = {
    "data": "curate", "sft": "sft", "policy": "rlvr", "verifier": "verifier", "draft": "drafter", "bundle": "serve",
    "scores": "evaluate",
}  # fmt: skip
"""Input of the report to the stage that makes it, in pipeline order."""

T = TypeVar("T")


class Part(BaseModel):
    """A file's content; unlike a Record it lets unknown fields pass, because other stages may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DataCard(Part):
    counts: dict[str, dict[str, int]] = {}
    rejects: dict[str, int] = {}
    contamination: dict[str, Overlap] = {}
    tokens: JsonValue = None
    sources: dict[str, JsonValue] = {}


class CurvePoint(Part):
    step: float
    loss: float | None = None
    eval_loss: float | None = None
    mean_token_accuracy: float | None = None
    reward: float | None = None
    reward_std: float | None = None
    frac_reward_zero_std: float | None = None
    entropy: float | None = None
    completion_length: float | None = None
    validation: float | None = None
    domain_reward: dict[str, float] = {}


class CalibrationBin(Part):
    score: float
    accuracy: float
    count: int


class Calibration(Part):
    bins: list[CalibrationBin] = []
    pair_accuracy: float | None = None
    auc: float | None = None


class LosslessTest(Part):
    temperature: float
    prompts: int | None = None
    equal: float | None = None
    plain: float | None = None
    speculative: float | None = None
    delta: float | None = None
    ci95: tuple[float, float] | None = None
    p: float | None = None
    passed: bool | None = None


class Lossless(Part):
    temperatures: list[LosslessTest] = []
    per_position: list[float] = []
    acceptance_length: float | None = None
    speedup: float | None = None
    seconds_plain: float | None = None
    seconds_speculative: float | None = None


class Scores(Part):
    scores: dict[str, dict[str, Score]] = {}
    deltas: list[Delta] = []
    verifier: VerifierSummary | None = None
    errors: dict[str, int] = {}
    contamination: dict[str, Overlap] = {}


class Response(Part):
    response: str
    status: str = ""


class Example(Part):
    question: str
    domain: str = ""
    gold: JsonValue = None
    cells: dict[str, Response] = {}


@dataclass(frozen=True)
class Sources:
    """All that the page may show. Empty parts mean: not there."""

    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
    card: DataCard = field(default_factory=DataCard)
    sft_curve: list[CurvePoint] = field(default_factory=list)
    rl_curve: list[CurvePoint] = field(default_factory=list)
    calibration: Calibration = field(default_factory=Calibration)
    acceptance: Mapping[str, JsonValue] = field(default_factory=dict)
    bundle: Bundle | None = None
    lossless: Lossless = field(default_factory=Lossless)
    scores: Scores = field(default_factory=Scores)
    lengths: Mapping[str, list[float]] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_sources(folders: Mapping[str, Path], manifests: Mapping[str, Manifest]) -> Sources:
    """Read the trees in `folders` (input name to folder). Never raises for what a file holds or lacks."""
    reader = _Reader(folders)
    anything: TypeAdapter[Mapping[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
    metrics = {name: reader.json(name, "metrics.json", anything, {}) for name in STAGE_OF_INPUT}
    points, examples = TypeAdapter(list[CurvePoint]), TypeAdapter(list[Example])
    return Sources(
        manifests=manifests,
        idle=frozenset(name for name, found in metrics.items() if _idle(found)),
        card=reader.json("data", "card.json", TypeAdapter(DataCard), DataCard()),
        sft_curve=reader.lines("sft", "curve.jsonl", points),
        rl_curve=reader.lines("policy", "curve.jsonl", points),
        calibration=reader.json("verifier", "calibration.json", TypeAdapter(Calibration), Calibration()),
        acceptance=reader.json("draft", "acceptance.json", anything, {}),
        bundle=reader.json("bundle", "bundle.json", TypeAdapter(Bundle | None), None),
        lossless=reader.json("bundle", "lossless.json", TypeAdapter(Lossless), Lossless()),
        scores=reader.json("scores", "scores.json", TypeAdapter(Scores), Scores()),
        lengths=reader.json("scores", "lengths.json", TypeAdapter(dict[str, list[float]]), {}),
        examples=reader.json("scores", "examples.json", examples, []),
        notes=reader.notes,
    )


def _idle(metrics: Mapping[str, JsonValue]) -> bool:
    """Whether a stage was switched off or had nothing to learn from; then it hands its input on."""
    return metrics.get("steps") == 0 or metrics.get("enabled") == 0


class _Reader:
    """Reads typed content and collects notes on what it could not read."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self.notes: list[str] = []

    def json(self, name: str, file: str, kind: TypeAdapter[T], default: T) -> T:
        path = self._path(name, file)
        if path is None:
            return default
        try:
            content = json.loads(path.read_bytes().decode("utf-8", "replace"))
        except ValueError:
            self.notes.append(f"{name}/{file} is not JSON (cut off?)")
            return default
        return self._typed(f"{name}/{file}", content, kind, default)

    def lines(self, name: str, file: str, kind: TypeAdapter[list[T]]) -> list[T]:
        path = self._path(name, file)
        if path is None:
            return []
        rows, broken = [], 0
        for line in path.read_bytes().decode("utf-8", "replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                broken += bool(line.strip())
        if broken:
            self.notes.append(f"{name}/{file}: {broken} line(s) are not JSON")
        return self._typed(f"{name}/{file}", rows, kind, [])

    def _path(self, name: str, file: str) -> Path | None:
        path = self._folders[name] / file if name in self._folders else None
        return path if path is not None and path.is_file() else None

    def _typed(self, place: str, content: Any, kind: TypeAdapter[T], default: T) -> T:
        """Validate; what does not fit is cut out, smallest piece first, until the rest does."""
        dropped = 0
        while True:
            # Through bytes, because a lone surrogate ("\ud800") is legal JSON but no UTF-8: it becomes "?".
            encoded = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
            try:
                found = kind.validate_json(encoded)
            except ValidationError as error:
                cut = _cut(content, error)
                dropped += cut
                if cut:
                    continue
                self.notes.append(f"{place} has another shape than expected")
                return default
            if dropped:
                self.notes.append(f"{place}: {dropped} value(s) left out because they have the wrong type")
            return found


def _cut(content: Any, error: ValidationError) -> int:
    """Remove from `content` every value that `error` names, or what holds it when a field is missing: how many."""
    wrong = dict.fromkeys(e["loc"][:-1] if e["type"] == "missing" else e["loc"] for e in error.errors())
    whole = [place for place in wrong if not any(place[:depth] in wrong for depth in range(len(place)))]
    # Mistakes come in the order of the document, so going backwards keeps the positions in lists right.
    return sum(_remove(content, place) for place in reversed(whole))


def _remove(content: Any, place: tuple[int | str, ...]) -> bool:
    """Delete the deepest value on the way to `place` that exists; False when there is none."""
    holder = last = None
    for key in place:
        try:
            inner = content[key]
        except (KeyError, IndexError, TypeError):
            break
        holder, last, content = content, key, inner
    if holder is None:
        return False
    del holder[last]
    return True
