"""The rule behind the words: nothing is called a help on thin evidence."""

import json
from pathlib import Path

import pytest

from hexad.records import Delta
from hexad.report.sources import Lossless, LosslessTest, Scores, Sources
from hexad.report.verdicts import HELPS, HURTS, NOTHING, UNKNOWN, compare, judge, pillars

CASES = [json.loads(line) for line in (Path(__file__).parent / "verdicts.jsonl").read_text().splitlines()]


def delta(before: str, after: str, p: float, low: float = 0.01, high: float = 0.05, benchmark: str = "all") -> Delta:
    return Delta(from_=before, to=after, benchmark=benchmark, delta=(low + high) / 2, ci95=(low, high), p=p)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["what"])
def test_verdict(case):
    assert judge(delta("sft", "rlvr", case["p"], *case["ci95"]), case["p"]) == case["verdict"]


def test_the_correction_is_over_all_comparisons_of_the_total():
    steps = [("base", "sft"), ("sft", "rlvr"), ("rlvr", "rlvr+plan"), ("rlvr", "rlvr+bo3"), ("rlvr", "rlvr+plan+bo3")]
    judged = compare([delta(*step, p=0.03) for step in steps] + [delta("base", "sft", 0.001, benchmark="math")])
    assert [(c.word, round(c.p_corrected, 3)) for c in judged] == [(NOTHING, 0.15)] * 5


def test_speculation_is_no_part_of_the_corrected_family():
    judged = compare([delta("sft", "rlvr", 0.03), delta("rlvr", "rlvr+spec", 0.9)])
    assert [c.word for c in judged] == [HELPS]


def test_all_six_pillars_have_a_card_even_when_nothing_was_run():
    cards = pillars(Sources())
    assert [(card.number, card.word) for card in cards] == [(i, UNKNOWN) for i in range(1, 7)]


def test_a_stage_that_was_idle_has_no_verdict():
    scores = Scores(deltas=[delta("base", "sft", 0.9, -0.01, 0.01)])
    assert pillars(Sources(scores=scores, idle=frozenset({"sft"})))[0].word == UNKNOWN


def test_a_pillar_that_hurts_says_so():
    cards = pillars(Sources(scores=Scores(deltas=[delta("rlvr", "rlvr+plan", 0.001, -0.08, -0.02)])))
    assert cards[2].word == HURTS


@pytest.mark.parametrize(
    ("passed", "speedup", "word"),
    [
        ((True, True), 1.4, "no loss found, faster"),
        ((True, True), 0.8, "no loss found, but slower"),
        ((True, False), 2.0, "refused"),
        ((True, None), 2.0, "refused"),
        ((True, True), None, UNKNOWN),
    ],
)
def test_speculation_is_judged_by_its_losses_first_and_never_called_a_help(passed, speedup, word):
    tests = [LosslessTest(temperature=float(i), passed=p) for i, p in enumerate(passed)]
    assert pillars(Sources(lossless=Lossless(temperatures=tests, speedup=speedup)))[4].word == word
