"""The graders, each behind one call (gold, response) -> accepted, with the options that its users get.

Peers get the gold in the form that suits them best: in a box where they parse LaTeX (math-verify reads a bare
`\\frac52` as no LaTeX), bare where they compare text or read both.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

Accepts = Callable[[str, str], bool]


def hexad() -> Accepts:
    from hexad.grading import grade, is_correct
    from hexad.records import Gold, Message, Prompt

    def accepts(gold: str, response: str) -> bool:
        asked = [Message(role="user", content="?")]
        prompt = Prompt(
            id="", domain="math", source="", revision="", prompt=asked, gold=Gold(value=gold), grader="math"
        )
        return is_correct(grade(prompt, response))

    return accepts


def math_verify() -> Accepts:
    from math_verify import parse, verify

    return lambda gold, response: verify(parse(f"\\boxed{{{gold}}}"), parse(response))


def trl() -> Accepts:
    from trl.rewards.accuracy_rewards import accuracy_reward

    def accepts(gold: str, response: str) -> bool:
        return accuracy_reward([[{"role": "assistant", "content": response}]], [f"\\boxed{{{gold}}}"]) == [1.0]

    return accepts


def trl_bare() -> Accepts:
    from trl.rewards.accuracy_rewards import accuracy_reward

    return lambda gold, response: accuracy_reward([[{"role": "assistant", "content": response}]], [gold]) == [1.0]


def inspect_ai() -> Accepts:
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import Target, math
    from inspect_ai.solver import TaskState

    scorer, loop = math(), asyncio.new_event_loop()

    def accepts(gold: str, response: str) -> bool:
        output = ModelOutput.from_content("none", response)
        state = TaskState(model="none", sample_id=1, epoch=1, input="?", messages=[], output=output)  # type: ignore[arg-type]
        score = loop.run_until_complete(scorer(state, Target(gold)))
        return score is not None and score.value == "C"

    return accepts


def lm_eval() -> Accepts:
    package = importlib.util.find_spec("lm_eval")
    assert package is not None and package.origin is not None
    file = Path(package.origin).parent / "tasks" / "aime" / "utils.py"
    spec = importlib.util.spec_from_file_location("lm_eval_aime", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda gold, response: module.process_results({"answer": gold}, [response])["exact_match"] == 1


GRADERS: dict[str, tuple[Callable[[], Accepts], str]] = {
    "hexad": (hexad, ""),
    "math-verify": (math_verify, "math-verify"),
    "TRL accuracy_reward": (trl, "trl"),
    "TRL, bare gold": (trl_bare, "trl"),
    "inspect-ai math()": (inspect_ai, "inspect_ai"),
    "lm-eval aime": (lm_eval, "lm_eval"),
}
"""Name to (loader, distribution)."""


def label(name: str) -> str:
    distribution = GRADERS[name][1]
    return f"{name} {version(distribution)}" if distribution else name
