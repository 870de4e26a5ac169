"""Acceptance of drafted tokens, from the engine's own counters."""

import re
from collections.abc import Mapping

from hexad.records import Record

_PREFIX = "vllm:spec_decode_num_"


class Acceptance(Record):
    """Counts between two readings. Acceptance length = 1 + accepted / drafts: tokens per step of the target."""

    drafts: float
    draft_tokens: float
    accepted: float
    per_position: list[float]

    @property
    def length(self) -> float:
        return 1 + self.accepted / self.drafts if self.drafts else 1.0

    @property
    def rate(self) -> float:
        return self.accepted / self.draft_tokens if self.draft_tokens else 0.0


def acceptance(before: Mapping[str, float], after: Mapping[str, float]) -> Acceptance:
    """Difference of two `VllmServer.counters()`. Per position: the share of drafts accepted up to there."""

    def grown(name: str) -> float:
        return sum(v - before.get(k, 0.0) for k, v in after.items() if k.startswith(f"{_PREFIX}{name}_total"))

    drafts = grown("drafts")
    positions: dict[int, float] = {}
    for key, value in after.items():
        found = re.match(rf'{_PREFIX}accepted_tokens_per_pos_total.*position="(\d+)"', key)
        if found:
            positions[int(found[1])] = positions.get(int(found[1]), 0.0) + value - before.get(key, 0.0)
    shares = [positions[i] / drafts if drafts else 0.0 for i in sorted(positions)]
    return Acceptance(
        drafts=drafts, draft_tokens=grown("draft_tokens"), accepted=grown("accepted_tokens"), per_position=shares
    )
