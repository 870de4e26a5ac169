"""Prompts drawn from reasoning-gym's generators."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from random import Random

import reasoning_gym

from hexad.curation.reasoning_gym.adapters import ADAPTERS, prompt_gold
from hexad.records import Gold, Message, Prompt, Reject

# How a response must end is ours to say: the generators ask for answers in ways that contradict one another.
INSTRUCTION = "\n\nGive the final answer inside <answer> and </answer>."


def draw(counts: Mapping[str, int], seed: int) -> Iterator[Prompt | Reject]:
    """`counts`: generator to questions. An item whose answer has not the promised form becomes a reject."""
    for name, count in counts.items():
        data = reasoning_gym.create_dataset(name, size=count, seed=Random(f"{seed} {name}").getrandbits(31))
        for index in range(count):
            item = data[index]  # once: list_functions gives another item at each look
            row = f"reasoning-gym/{name}-{index}"
            try:
                yield _prompt(row, name, item["question"].strip() + INSTRUCTION, prompt_gold(name, item))
            except ValueError as error:
                yield Reject(row=row, stage="read", reason="unreadable answer", detail=str(error)[:300])


def _prompt(row: str, name: str, question: str, gold: Gold) -> Prompt:
    domain = ADAPTERS[name].domain
    return Prompt(
        id=row, domain=domain, source=f"reasoning-gym/{name}", revision=version("reasoning_gym"),
        prompt=[Message(role="user", content=question)], gold=gold, grader=domain,
    )  # fmt: skip
