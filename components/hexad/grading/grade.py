"""`grade`: the one grader behind reward, vote and benchmark. No exception crosses this border."""

# ruff: noqa: PLR0911 - one return a case reads as a table

import math
from collections.abc import Iterable
from typing import Any

from hexad.grading import code
from hexad.grading.compare_math import NeedsNumeric
from hexad.grading.extract import answer_part, extract
from hexad.grading.gold_type import type_for
from hexad.grading.judge import CODE_TYPES, judge
from hexad.grading.keys import key_of
from hexad.grading.pool import close_shared_pool, shared_pool
from hexad.grading.sandbox import close_shared_sandboxes
from hexad.grading.suites import run_suites, verify_suite
from hexad.grading.verdicts import Outcome, failed, incorrect, is_correct, unanswered, verdict
from hexad.records import Gold, Prompt, Verdict

Item = tuple[Prompt, str, str]


def grade(prompt: Prompt, response: str, finish_reason: str = "stop") -> Verdict:
    """Verdict on one response. `finish_reason` is the engine's: stop, length or error."""
    return grade_many([(prompt, response, finish_reason)])[0]


def grade_many(items: Iterable[Item]) -> list[Verdict]:
    """Verdicts in the order of (prompt, response, finish_reason). Equal answers to one gold are compared once."""
    verdicts: list[Verdict | None] = []
    heavy: dict[str, tuple[dict[str, Any], list[tuple[int, str, str]]]] = {}
    programs: list[tuple[int, Prompt, str, str]] = []
    for index, (prompt, response, finish_reason) in enumerate(items):
        verdicts.append(None)
        try:
            verdicts[index] = _judge_here(index, prompt, response, finish_reason, heavy, programs)
        except Exception as error:  # noqa: BLE001 - the border: a defect of ours is an error verdict, never a wrong answer
            verdicts[index] = verdict(failed(f"grader defect: {type(error).__name__}: {error}"[:500]), None, "")
    _finish_heavy(heavy, verdicts)
    _finish_programs(programs, verdicts)
    return [v if v is not None else verdict(failed("not judged"), None, "") for v in verdicts]


def _judge_here(
    index: int, prompt: Prompt, response: str, finish_reason: str,
    heavy: dict[str, tuple[dict[str, Any], list[tuple[int, str, str]]]], programs: list[tuple[int, Prompt, str, str]],
) -> Verdict | None:  # fmt: skip
    """The verdict where this process can give it; else None, with the work left in `heavy` or `programs`."""
    if finish_reason == "error":
        return verdict(failed("the engine failed, there is no response"), None, "")
    gold = prompt.gold
    type_ = gold.type or type_for(prompt.grader, gold.value)
    if type_ in CODE_TYPES:
        found = answer_part(response, finish_reason)
        program = code.program_of(found.text) if found.text is not None else None
        if found.text is None or program is None:
            return verdict(unanswered(found.how if found.text is None else "the code block never closes"), None, "")
        programs.append((index, prompt, program, found.how))
        return None
    found = extract(response, finish_reason)
    if found.text is None:
        return verdict(unanswered(found.how), None, "")
    try:
        outcome = judge(type_, gold.value, gold.options, found.text)
    except NeedsNumeric:
        job = {"op": "judge", "type": type_, "gold": gold.value, "options": gold.options, "answer": found.text}
        waiting = heavy.setdefault(repr(job), (job, []))
        waiting[1].append((index, found.text, found.how))
        return None
    if found.how == "bare" and outcome.status == "incorrect" and not _looks_like(found.text, type_):
        return verdict(unanswered("no <answer>, box or stated answer"), None, "")
    return verdict(outcome, found.text, found.how)


def _looks_like(text: str, type_: str) -> bool:
    """Whether a visible text without any marks is an answer at all, rather than prose."""
    return not key_of_or_text(type_, text).startswith("text:") or len(text.split()) <= 3


def key_of_or_text(type_: str, text: str) -> str:
    try:
        return key_of(type_, text)
    except NeedsNumeric:
        return "value:"


def _finish_heavy(
    heavy: dict[str, tuple[dict[str, Any], list[tuple[int, str, str]]]], verdicts: list[Verdict | None]
) -> None:
    if not heavy:
        return
    entries = list(heavy.values())
    try:
        results = shared_pool().run([job for job, _ in entries])
    except (OSError, ValueError) as error:
        results = [{"failed": f"grading pool: {error}"}] * len(entries)
    for (_, waiting), result in zip(entries, results, strict=True):
        outcome = _outcome(result)
        for index, text, how in waiting:
            verdicts[index] = verdict(outcome, text, how)


def _outcome(result: dict[str, Any]) -> Outcome:
    if "heavy" in result:
        return incorrect(f"undecided: {result['heavy']}")
    if "failed" in result:
        return failed(str(result["failed"]))
    return Outcome(result["status"], result["score"], result["reason"])


def _finish_programs(programs: list[tuple[int, Prompt, str, str]], verdicts: list[Verdict | None]) -> None:
    if not programs:
        return
    suites = [(prompt.gold, program) for _, prompt, program, _ in programs]
    try:
        outcomes = run_suites(suites)
    except Exception as error:  # noqa: BLE001 - the border, as above
        outcomes = [failed(f"sandbox: {type(error).__name__}: {error}"[:500])] * len(suites)
    for (index, _, program, how), outcome in zip(programs, outcomes, strict=True):
        verdicts[index] = verdict(outcome, program, how)


def answer_key(prompt: Prompt, response: str, finish_reason: str = "stop") -> str | None:
    """Equal keys are equivalent answers under this prompt's gold type; None without an answer. For the vote."""
    type_ = prompt.gold.type or type_for(prompt.grader, prompt.gold.value)
    if type_ in CODE_TYPES:
        found = answer_part(response, finish_reason)
        program = code.program_of(found.text) if found.text is not None else None
        return None if program is None else key_of(type_, program)
    found = extract(response, finish_reason)
    return None if found.text is None else _keys(type_, [found.text])[0]


def equivalent(type_: str | None, a: str, b: str) -> bool:
    """Whether two extracted answers are the same answer. `type_` is a gold type, or a domain, or None: inferred."""
    left, right = _keys(type_, [a, b])
    return left == right


def group_answers(answers: list[str | None]) -> list[int]:
    """Group of each extracted answer, numbered by first appearance; -1 for None. Types are inferred."""
    keys = iter(_keys(None, [a for a in answers if a is not None]))
    numbers: dict[str, int] = {}
    return [-1 if a is None else numbers.setdefault(next(keys), len(numbers)) for a in answers]


_DOMAIN_TYPES = {"simulation": "json", "tabular": "number"}
_UNTYPED = {"math", "code", "science", "logic"}


def _keys(type_: str | None, answers: list[str]) -> list[str]:
    type_ = None if type_ in _UNTYPED else _DOMAIN_TYPES.get(type_ or "", type_)
    keys: list[str] = [""] * len(answers)
    heavy: list[int] = []
    for index, answer in enumerate(answers):
        try:
            keys[index] = key_of(type_, answer)
        except NeedsNumeric:
            heavy.append(index)
    if heavy:
        results = shared_pool().run([{"op": "key", "type": type_, "answer": answers[i]} for i in heavy])
        for index, result in zip(heavy, results, strict=True):
            keys[index] = result.get("key") or "spelling:" + " ".join(answers[index].split())
    return keys


def verify_gold(prompt: Prompt) -> str | None:
    """None when the gold, given as an answer, is graded correct; else the reason to reject the row."""
    gold = prompt.gold
    type_ = gold.type or type_for(prompt.grader, gold.value)
    if type_ in CODE_TYPES:
        return verify_suite(gold, type_)
    judged = grade(prompt, f"<answer>{spelled(gold)}</answer>")
    return None if is_correct(judged) else f"{judged.status}: {judged.detail}"


def spelled(gold: Gold) -> str:
    """A gold as a model would write it."""
    import json

    value = gold.value
    if isinstance(value, (list, dict, bool)) or value is None:
        return json.dumps(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value) if gold.type == "json" else str(value)


def close() -> None:
    """End the grader's processes; they start again when next needed. Also done at exit."""
    close_shared_pool()
    close_shared_sandboxes()
