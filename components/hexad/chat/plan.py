"""Plan before you think: how a plan is asked for, read, and handed to the solver.

The same three functions make the planning rows of the SFT set and the gateway's requests, so a model meets at
test time exactly what it was trained on.
"""

from collections.abc import Callable, Sequence

from hexad.records import Message

PLAN_OPEN, PLAN_CLOSE = "<plan>", "</plan>"
INSTRUCTION = "Plan:"


def plan_request(messages: Sequence[Message]) -> list[Message]:
    """The conversation that asks for a plan of the last user turn; the answer must not be in it."""
    return _replace_last_user(messages, lambda text: f"{INSTRUCTION} {text}")


def with_plan(messages: Sequence[Message], plan: str) -> list[Message]:
    """The conversation that asks for the solution, with the plan behind the last user turn only."""
    return _replace_last_user(messages, lambda text: f"{text}\n{PLAN_OPEN}{plan}{PLAN_CLOSE}")


def read_plan(response: str, limit: int = 2000) -> str | None:
    """The plan in a planner's response, at most `limit` characters; None where there is none."""
    before, close, _ = response.partition(PLAN_CLOSE)
    if not close or PLAN_OPEN not in before:
        return None
    return before.partition(PLAN_OPEN)[2].strip()[:limit] or None


def _replace_last_user(messages: Sequence[Message], edit: Callable[[str], str]) -> list[Message]:
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=None)
    if last is None:
        raise ValueError("messages: no turn has the role 'user'; add the question as a user turn")
    return [Message(role=m.role, content=edit(m.content)) if i == last else m for i, m in enumerate(messages)]
