"""Whether a trace has the form that training teaches: turns in order, thinking closed, then an answer."""

from hexad.chat import split
from hexad.chat.parts import THINK_CLOSE, THINK_OPEN
from hexad.chat.template import END_OF_TURN
from hexad.records import Trace

TURN_MARKS = ("<|im_start|>", END_OF_TURN)


def check_trace(trace: Trace) -> str | None:
    """The reason to reject the trace, or None. Only its last turn is judged: it alone bears the loss."""
    turns = [m for m in trace.messages if m.role != "system"]
    if not turns or turns[-1].role != "assistant":
        return "last turn is not the assistant's"
    if any(m.role != ("user", "assistant")[i % 2] for i, m in enumerate(turns)):
        return "turns do not alternate between user and assistant"
    if any(m.role == "system" for m in trace.messages[1:]):
        return "system turn inside the conversation"
    if any(not m.content.strip() for m in trace.messages):
        return "empty turn"
    if any(mark in m.content for m in trace.messages for mark in TURN_MARKS):
        return "chat template's marks inside a turn"
    return _check_response(turns[-1].content)


def _check_response(response: str) -> str | None:
    if not response.lstrip().startswith(THINK_OPEN):
        return "does not begin with thinking"
    parts = split(response)
    if not parts.closed:
        return "thinking is never closed"
    if response.count(THINK_CLOSE) > 1:
        return "thinking is closed more than once"
    if not parts.thinking.strip():
        return "empty thinking"
    if parts.answer is None:
        return "no answer after the thinking"
    return None if parts.answer else "empty answer"
