"""ChatML, pinned: models' own templates inject system prompts and differ between versions."""

from collections.abc import Sequence

from hexad.records import Message

END_OF_TURN = "<|im_end|>"

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def prompt_text(messages: Sequence[Message]) -> str:
    """What CHATML renders with a generation prompt; the model writes on from here and ends with END_OF_TURN."""
    turns = "".join(f"<|im_start|>{m.role}\n{m.content}{END_OF_TURN}\n" for m in messages)
    return f"{turns}<|im_start|>assistant\n"
