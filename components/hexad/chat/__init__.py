"""Chat template, think/answer tags, and parsing of what a model wrote."""

from hexad.chat.parts import Parts, render, split
from hexad.chat.plan import plan_request, read_plan, with_plan
from hexad.chat.template import CHATML, prompt_text

__all__ = ["CHATML", "Parts", "plan_request", "prompt_text", "read_plan", "render", "split", "with_plan"]
