"""Text for the base model, from the train split only: worked questions as plain documents and as conversations.

Documents and conversations have no tags: answering a question with think and answer tags is what SFT teaches. The tags
do occur as loose markup: a token that a model with tied embeddings never saw costs 20 nats, and the first steps of SFT
then wreck what the base model knows.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random

from hexad.chat import prompt_text
from hexad.chat.parts import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN
from hexad.chat.plan import PLAN_CLOSE, PLAN_OPEN
from hexad.chat.template import END_OF_TURN
from hexad.curation.splits import split_of
from hexad.curation.tasks import HARDER, TASKS, Worked
from hexad.records import Message


def documents(seed: int) -> Iterator[str]:
    """An endless stream of plain documents, tasks at random, long questions where a task has them."""
    rng = Random(seed)
    makers = TASKS | HARDER
    for worked in _drawn(rng, makers):
        approach = f"Approach: {worked.plan}\n" if rng.random() < 0.4 else ""
        yield f"Problem: {worked.question}\n{approach}{_work(worked)}\n\n"


def conversations(seed: int) -> Iterator[str]:
    """An endless stream of one-turn conversations, and a third as many plain documents, so as not to forget."""
    rng = Random(seed)
    plain = documents(seed + 1)
    for worked in _drawn(rng, TASKS):
        hint = f"\nApproach: {worked.plan}" if rng.random() < 0.3 else ""
        yield prompt_text([Message(role="user", content=worked.question + hint)]) + _work(worked) + END_OF_TURN
        if rng.random() < 0.33:
            yield next(plain)


def markup(seed: int) -> Iterator[str]:
    """An endless stream of loose pieces in tags, out of their questions, and as many conversations."""
    rng = Random(seed)
    talks = conversations(seed + 2)
    for worked in _drawn(rng, TASKS):
        yield rng.choice(
            [
                f"{THINK_OPEN}{worked.thinking}{THINK_CLOSE}",
                f"{ANSWER_OPEN}{worked.answer}{ANSWER_CLOSE}",
                f"{PLAN_OPEN}{worked.plan}{PLAN_CLOSE}",
            ]
        )
        yield next(talks)


def _drawn(rng: Random, makers: Mapping[str, Callable[[Random], Worked]]) -> Iterator[Worked]:
    """Questions of the train split, tasks at random."""
    names = sorted(makers)
    while True:
        worked = makers[rng.choice(names)](rng)
        if split_of(worked.question) == "train":
            yield worked


def _work(worked: Worked) -> str:
    return f"Work:\n{worked.thinking}\nResult: {worked.answer}"
