"""Plan before you think: ask the model for a plan, and use it only when it is one."""

import re

from hexad.chat import read_plan, split

_VALUE = r"""[\s"'`$*({\[]*(?:[-+]?\d|(?:true|false|yes|no)\b|[A-J](?=[\s.)]*(?:$|\n)))"""
_STATED = r"\banswers?\b[\s*]*(?:is|are|=|:|would be|will be|must be)\s*:?" + _VALUE
_ANSWER = re.compile(rf"<answer>|\\boxed\s*\{{|{_STATED}", re.I)


def states_answer(plan: str) -> bool:
    """Whether a plan discloses an answer, which would make N candidates repeat one guess.

    The rule: it holds an `<answer>` or `\\boxed{`, or says "answer is / = / :" followed by a number, true, false, yes,
    no, or a lone letter of a choice. A plan that names intermediate values passes; so does "the answer is the largest".
    """
    return _ANSWER.search(plan) is not None


def usable_plan(raw: str) -> tuple[str | None, str]:
    """The plan in a planner's raw response, or None and why not."""
    plan = read_plan(split(raw).visible)
    if plan is None:
        return None, "the planner wrote no <plan>…</plan>"
    if states_answer(plan):
        return None, "the plan stated an answer and was dropped"
    return plan, ""
