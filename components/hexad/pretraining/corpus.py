"""Plain text for the base model: worked questions in no chat format, from the train split only."""

from collections.abc import Iterator
from random import Random

from hexad.curation.splits import split_of
from hexad.curation.tasks import TASKS, Worked


def documents(seed: int, tasks: list[str] | None = None) -> Iterator[str]:
    """An endless stream of documents, the tasks in turn at random. Questions of validation and test never occur."""
    rng = Random(seed)
    names = tasks or sorted(TASKS)
    while True:
        worked = TASKS[rng.choice(names)](rng)
        if split_of(worked.question) == "train":
            yield _document(worked, rng)


def _document(worked: Worked, rng: Random) -> str:
    approach = f"Approach: {worked.plan}\n" if rng.random() < 0.4 else ""
    return f"Problem: {worked.question}\n{approach}Work:\n{worked.thinking}\nResult: {worked.answer}\n\n"
