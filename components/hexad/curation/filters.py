"""Whether a row of a source is good enough: language, repetition, length, measured difficulty, reference answer."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from hexad.chat import split
from hexad.curation.corpus.config import FilterConfig
from hexad.curation.neardup import shingle
from hexad.grading import grade_many, infer_type
from hexad.records import Gold, Message, Prompt, Reject, Trace, Verdict

_SCRIPTS = {"LATIN": "latin", "CJK": "cjk", "HIRAGANA": "cjk", "KATAKANA": "cjk", "HANGUL": "cjk",
            "CYRILLIC": "cyrillic", "ARABIC": "arabic"}  # fmt: skip
_SAMPLE = 2000  # characters of which the writing system is told
_LONG = 50  # words; shorter responses repeat themselves by chance


def refusal(row: Trace | Prompt, config: FilterConfig, repeated: float) -> Reject | None:
    """The first filter that the row fails, or None. `repeated`: what `repetitions` gives for its response."""
    question = question_of(row)
    words = len(question.split())
    if words < config.min_question_words:
        return _reject(row, "length", "question too short", f"{words} < {config.min_question_words} words")
    if config.scripts and (script := script_of(question)) not in config.scripts:
        return _reject(row, "language", "writing system not kept", script)
    if isinstance(row, Prompt):
        return too_easy_or_hard(row, config)
    response = row.messages[-1].content
    if len(response) > config.max_response_characters:
        detail = f"{len(response)} > {config.max_response_characters} characters"
        return _reject(row, "length", "response too long", detail)
    if repeated > config.max_repetition:
        return _reject(row, "repetition", "response repeats itself", f"{repeated:.2f} of its 5-grams")
    return None


def question_of(row: Trace | Prompt) -> str:
    """The first user turn."""
    turns = row.messages if isinstance(row, Trace) else row.prompt
    return next((m.content for m in turns if m.role == "user"), "")


def response_of(row: Trace | Prompt) -> str:
    """The last turn of a trace; nothing of a prompt."""
    return row.messages[-1].content if isinstance(row, Trace) else ""


def repetitions(texts: Sequence[str]) -> list[float]:
    """Share of the word 5-grams that are copies of an earlier one, 0..1; 0 for a text below 50 words."""
    grams = shingle(texts)
    counts = np.diff(grams.offsets).tolist()
    return [1 - len(grams.distinct(i)) / count if count >= _LONG else 0.0 for i, count in enumerate(counts)]


def script_of(text: str) -> str:
    """The writing system of most letters; "latin" when there are none, as in formulas."""
    sample = text[:_SAMPLE]
    if sample.isascii():
        return "latin"
    found = Counter(
        _SCRIPTS.get(unicodedata.name(letter, "OTHER").split()[0].split("-")[0], "other")
        for letter in sample
        if letter.isalpha()
    )
    return found.most_common(1)[0][0] if found else "latin"


def agreements(traces: Sequence[tuple[Trace, Gold]]) -> list[bool | None]:
    """Whether the answer of each trace is its reference: None when that cannot be told.

    A reference in prose is equal or not comparable: other words may say the same. Code has no reference answer.
    """
    prompts = [
        Prompt(
            id=t.id, domain=t.domain, source=t.source, revision=t.revision, prompt=[_ASKED], gold=gold, grader="math"
        )
        for t, gold in traces
    ]
    judged = grade_many(
        (prompt, split(trace.messages[-1].content).visible, "stop")
        for prompt, (trace, _) in zip(prompts, traces, strict=True)
    )
    return [_agrees(verdict, gold) for verdict, (_, gold) in zip(judged, traces, strict=True)]


_ASKED = Message(role="user", content="")


def _agrees(verdict: Verdict, gold: Gold) -> bool | None:
    if verdict.status == "correct":
        return True
    comparable = verdict.status == "incorrect" and infer_type(gold.value) != "text"
    return False if comparable else None


def too_easy_or_hard(row: Prompt, config: FilterConfig) -> Reject | None:
    """The first rule on measured difficulty that drops the prompt, or None."""
    for rule in config.pass_rates:
        rate = row.difficulty.get(rule.model)
        if rate is not None and not rule.above < rate < rule.below:
            reason = "solved too rarely" if rate <= rule.above else "solved too often"
            return _reject(
                row, "difficulty", reason, f"{rule.model}: {rate:g}, kept between {rule.above:g} and {rule.below:g}"
            )
    return None


def _reject(row: Trace | Prompt, stage: str, reason: str, detail: str) -> Reject:
    return Reject(row=row.id, stage=stage, reason=reason, detail=detail)
