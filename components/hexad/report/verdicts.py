"""What each pillar was worth, decided by rule so that no sentence can oversell.

"helps" takes both a 95 % interval above zero and a Holm-corrected p below 0.05; "hurts" the same below zero; all else
is "no measurable effect at this size".
"""

from dataclasses import dataclass

from hexad.records import Delta
from hexad.report.sources import Sources
from hexad.report.wording import CI95, cell_name, p_phrase, points, signed_interval
from hexad.statistics.paired import holm

HELPS, HURTS, NOTHING, UNKNOWN = "helps", "hurts", "no measurable effect at this size", "not measured"
ALPHA = 0.05
_MEASURED = {
    ("base", "sft"): ("Long chain-of-thought SFT", "Fine-tune the base model on worked traces."),
    ("sft", "rlvr"): ("RL with verifiable rewards", "Policy gradient on graded answers."),
    ("rlvr", "rlvr+plan"): ("Plan before you think", "A plan is written first, then the answer."),
    ("rlvr", "rlvr+bo3"): ("Best of N with a verifier", "Three candidates; a trained scorer weighs the vote."),
}
_MDE_FACTOR = (1.96 + 0.84) / (2 * 1.96)  # 95 % interval's width to the effect seen with 80 % power


@dataclass(frozen=True)
class Comparison:
    """One delta with its corrected p and its verdict."""

    delta: Delta
    p_corrected: float
    word: str

    @property
    def smallest_visible(self) -> float:
        """Minimum detectable effect, 0..1: what would be seen four times in five."""
        return (self.delta.ci95[1] - self.delta.ci95[0]) * _MDE_FACTOR


@dataclass(frozen=True)
class Pillar:
    """A card: what the pillar is, and what this run says of it."""

    number: int
    name: str
    what: str
    word: str
    detail: str
    figure: tuple[str, str] | None = None  # headline number and its unit


def compare(deltas: list[Delta], benchmark: str = "all") -> list[Comparison]:
    """Judge all deltas of one benchmark together; Holm's correction is over exactly these.

    Comparisons with speculation are left out: there the question is whether nothing changed.
    """
    family = [d for d in deltas if d.benchmark == benchmark and not d.to.endswith("+spec")]
    corrected = holm([d.p for d in family])
    return [Comparison(d, p, judge(d, p)) for d, p in zip(family, corrected, strict=True)]


def judge(delta: Delta, p_corrected: float) -> str:
    low, high = delta.ci95
    if p_corrected < ALPHA and low > 0:
        return HELPS
    if p_corrected < ALPHA and high < 0:
        return HURTS
    return NOTHING


def pillars(sources: Sources) -> list[Pillar]:
    """The six cards, in order, whatever was run."""
    found = {(c.delta.from_, c.delta.to): c for c in compare(sources.scores.deltas)}
    off = {("base", "sft"): "sft", ("sft", "rlvr"): "policy"}
    found = {step: c for step, c in found.items() if off.get(step) not in sources.idle}
    return [
        *(_measured(i, *words, found.get(step), step) for i, (step, words) in enumerate(_MEASURED.items(), 1)),
        _speculation(sources),
        Pillar(6, "Inference hardware", "Where the engine runs.", UNKNOWN,
               "One run uses one kind of hardware, so this page cannot compare kinds. Run the same bundle under "
               "another profile to measure it."),
    ]  # fmt: skip


def _measured(number: int, name: str, what: str, comparison: Comparison | None, step: tuple[str, str]) -> Pillar:
    before, after = step
    if comparison is None:
        return Pillar(number, name, what, UNKNOWN, f"The step from {before} to {after} was not taken, or not scored.")
    delta = comparison.delta
    detail = (
        f"{cell_name(before)} → {cell_name(after)}: {points(delta.delta)} points "
        f"({CI95} {signed_interval(*delta.ci95)}), corrected {p_phrase(comparison.p_corrected)}."
    )
    if comparison.word == NOTHING:
        detail += f" An effect would have had to be about {100 * comparison.smallest_visible:.1f} points to show."
    return Pillar(number, name, what, comparison.word, detail, (points(delta.delta), "points"))


def _speculation(sources: Sources) -> Pillar:
    name, what = "Speculative decoding", "A small draft model proposes, the target model checks."
    tests = sources.lossless.temperatures
    speedup = sources.lossless.speedup
    if not tests:
        return Pillar(5, name, what, UNKNOWN, "The engine left no comparison with and without speculation.")
    temperatures = ", ".join(f"{test.temperature:g}" for test in tests)
    failed = [f"{test.temperature:g}" for test in tests if not test.passed]
    if failed:
        detail = f"Answers changed at temperature {', '.join(failed)}, so speculation must stay off."
        return Pillar(5, name, what, "refused", detail)
    detail = f"No loss found at temperature {temperatures}."
    if speedup is None:
        return Pillar(5, name, what, UNKNOWN, f"{detail} The speed was not measured.")
    word = "no loss found, faster" if speedup > 1 else "no loss found, but slower"
    detail += f" Speed is {speedup:.2f} of that without speculation: one measurement, without an interval."
    return Pillar(5, name, what, word, detail, (f"{speedup:.2f} ×", "the speed"))
