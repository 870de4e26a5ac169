"""Token arithmetic: everything that one request made the engine and the verifier read or write."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from hexad.gateway.upstream import Draft


@dataclass(frozen=True)
class Usage:
    """Sums of tokens; `reasoning` is None where no call told it."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    accepted: int = 0
    reasoning: int | None = None

    def __add__(self, other: "Usage") -> "Usage":
        known = [r for r in (self.reasoning, other.reasoning) if r is not None]
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.accepted + other.accepted,
            sum(known) if known else None,
        )

    def to_json(self) -> dict[str, Any]:
        """OpenAI's `usage` object."""
        details: dict[str, int] = {"accepted_prediction_tokens": self.accepted}
        if self.reasoning is not None:
            details["reasoning_tokens"] = self.reasoning
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "completion_tokens_details": details,
        }


def of_json(usage: dict[str, Any]) -> Usage:
    """An engine's `usage` object, where it gave one."""
    read = usage.get("prompt_tokens_details") or {}
    wrote = usage.get("completion_tokens_details") or {}
    return Usage(
        prompt=usage.get("prompt_tokens") or 0,
        completion=usage.get("completion_tokens") or 0,
        cached=read.get("cached_tokens") or 0,
        accepted=wrote.get("accepted_prediction_tokens") or 0,
        reasoning=wrote.get("reasoning_tokens"),
    )


def of_drafts(drafts: Iterable[Draft]) -> Usage:
    """What these calls cost, by the engine's own counts where it gave them."""
    return sum((replace(of_json(draft.usage), completion=draft.tokens) for draft in drafts), Usage())
