"""Prompts around a gold, as the grader's tests need them."""

import json
from pathlib import Path
from typing import Any

from hexad.records import Gold, Message, Prompt

DATA = Path(__file__).with_name("data")


def rows(name: str) -> list[dict[str, Any]]:
    """The cases of one table."""
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def prompt(domain: str, gold: dict[str, Any] | Gold) -> Prompt:
    """A prompt whose question does not matter."""
    return Prompt(
        id="q",
        domain=domain,
        source="test",
        revision="1",
        prompt=[Message(role="user", content="?")],  # type: ignore[arg-type]
        gold=gold if isinstance(gold, Gold) else Gold.model_validate(gold),
        grader=domain,
    )


def answered(text: object) -> str:
    return f"<think>because</think><answer>{text}</answer>"
