"""Text for the base model, from the train split only: worked questions as plain documents and as conversations.

Neither form has think or answer tags: those are what SFT teaches.
"""

from collections.abc import Iterator
from random import Random

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.curation.splits import split_of
from hexad.curation.tasks import HARDER, TASKS, Worked
from hexad.records import Message


def documents(seed: int) -> Iterator[str]:
    """An endless stream of plain documents, tasks at random, long questions where a task has them."""
    rng = Random(seed)
    makers = TASKS | HARDER
    names = sorted(makers)
    while True:
        worked = makers[rng.choice(names)](rng)
        if split_of(worked.question) == "train":
            approach = f"Approach: {worked.plan}\n" if rng.random() < 0.4 else ""
            yield f"Problem: {worked.question}\n{approach}{_work(worked)}\n\n"


def conversations(seed: int) -> Iterator[str]:
    """An endless stream of one-turn conversations; a third as many plain documents between them, so as not to forget."""
    rng = Random(seed)
    plain = documents(seed + 1)
    names = sorted(TASKS)
    while True:
        worked = TASKS[rng.choice(names)](rng)
        if split_of(worked.question) != "train":
            continue
        hint = f"\nApproach: {worked.plan}" if rng.random() < 0.3 else ""
        yield prompt_text([Message(role="user", content=worked.question + hint)]) + _work(worked) + END_OF_TURN
        if rng.random() < 0.33:
            yield next(plain)


def _work(worked: Worked) -> str:
    return f"Work:\n{worked.thinking}\nResult: {worked.answer}"
