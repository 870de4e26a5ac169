"""A response is `<think>…</think><answer>…</answer>`; this splits one as a model wrote it."""

from dataclasses import dataclass

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER_OPEN, ANSWER_CLOSE = "<answer>", "</answer>"


@dataclass(frozen=True)
class Parts:
    """What a response consists of. `closed` is False when thinking began and never ended: there is no answer then."""

    thinking: str
    visible: str
    answer: str | None
    closed: bool


def render(thinking: str, answer: str) -> str:
    """The response that training teaches. Lines of their own: a base model knows what follows a new line."""
    return f"{THINK_OPEN}\n{thinking}\n{THINK_CLOSE}\n{ANSWER_OPEN}{answer}{ANSWER_CLOSE}"


def split(response: str) -> Parts:
    """Split at the LAST closing think tag, since a model may quote one while it thinks.

    `answer` is the text of the last complete `<answer>` element after it; one that is not closed was cut off and is
    no answer.
    """
    head, tag, tail = response.rpartition(THINK_CLOSE)
    if not tag:
        if THINK_OPEN in response:
            return Parts(response.split(THINK_OPEN, 1)[1], "", None, False)
        head, tail = "", response
    thinking = head.split(THINK_OPEN, 1)[-1].removeprefix("\n").removesuffix("\n") if head else ""
    return Parts(thinking, tail.strip(), _last_answer(tail), True)


def _last_answer(text: str) -> str | None:
    before, close, _ = text.rpartition(ANSWER_CLOSE)
    if close and ANSWER_OPEN in before:
        return before.rpartition(ANSWER_OPEN)[2].strip()
    return None
