"""The dataset card: counts at each step, as JSON for the report and as Markdown for people."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hexad.records import Prompt, Reject, Trace

STAGES = ("generate", "read", "structure", "split", "length", "language", "repetition", "difficulty", "gold",
          "reference", "decontaminate", "dedupe", "mix", "tokenize")  # fmt: skip
"""What a row passes, in order. Rows that `generate` drew again were never counted as read."""

EXAMPLES = 3  # rows shown for each reason to reject
_BAR = 40  # characters of the longest bar


class Tally:
    """Counts of rows as they are written. `licences`: source to licence; `lengths`: tokens of each trace."""

    def __init__(self, licences: Mapping[str, str], lengths: npt.NDArray[np.int32], rows: int, capacity: int) -> None:
        self._kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._sources: dict[str, str] = {}
        self._traced: dict[str, str] = {}
        self._from: Counter[str] = Counter()
        self._licences = licences
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.examples: defaultdict[str, list[str]] = defaultdict(list)
        self.lengths, self.rows, self.capacity = lengths, rows, capacity
        self.rejected = 0

    def keep(self, use: str, row: Trace | Prompt) -> None:
        self._kept[use][row.domain] += 1
        if use in ("traces", "prompts (train)"):
            self._sources[row.source] = row.revision
            self._from[row.source] += 1
        if use == "traces":
            self._traced[row.source] = row.revision

    def reject(self, row: Reject) -> None:
        self.rejected += 1
        self.reasons[row.stage, row.reason] += 1
        shown = self.examples[f"{row.stage}: {row.reason}"]
        if len(shown) < EXAMPLES:
            shown.append(f"{row.row} ({row.detail[:120]})" if row.detail else row.row)

    def total(self, use: str) -> int:
        return self._kept[use].total()

    def revisions(self) -> dict[str, str]:
        """Source to revision, of traces and training prompts."""
        return dict(self._sources)

    def counts(self) -> dict[str, dict[str, int]]:
        return {use: dict(sorted(found.items())) for use, found in self._kept.items()}

    def traced(self) -> dict[str, str]:
        return dict(self._traced)

    def sources(self) -> list[dict[str, Any]]:
        return [
            {"source": name, "revision": revision, "rows": self._from[name], "licence": self._licence(name)}
            for name, revision in self._sources.items()
        ]

    def funnel(self) -> list[tuple[str, int]]:
        """Training rows read, and left after each stage that dropped any."""
        lost = Counter({stage: 0 for stage in STAGES})
        for (stage, _), count in self.reasons.items():
            lost[stage] += count
        left = self.total("traces") + self.total("prompts (train)") + lost.total() - lost["generate"]
        steps = [("all rows", left)]
        for stage in STAGES[1:]:
            left -= lost[stage]
            if lost[stage]:
                steps.append((f"after {stage}", left))
        return steps

    def _licence(self, source: str) -> str:
        found = [licence for name, licence in self._licences.items() if source == name or source.startswith(f"{name}:")]
        return found[0] if found else "generated here"


def card_json(tally: Tally, contamination: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    total = int(tally.lengths.sum())
    return {
        "counts": tally.counts(),
        "rejects": {f"{stage}: {reason}": count for (stage, reason), count in tally.reasons.items()},
        "reject_examples": dict(tally.examples),
        "contamination": {name: dict(found) for name, found in contamination.items()},
        "tokens": {
            "total": total,
            "longest": int(tally.lengths.max(initial=0)),
            "rows": tally.rows,
            "fill": round(total / (tally.rows * tally.capacity), 4) if tally.capacity and tally.rows else 1.0,
        },
        "lengths": _histogram(tally.lengths),
        "funnel": tally.funnel(),
        "sources": tally.traced(),
        "licences": tally.sources(),
    }


def card_markdown(card: Mapping[str, Any]) -> str:
    domains = sorted({domain for found in card["counts"].values() for domain in found})
    tokens = card["tokens"]
    rows = [[name, *(found.get(d, 0) for d in domains), sum(found.values())] for name, found in card["counts"].items()]
    parts = [
        "# Dataset",
        _table(["use", *domains, "all"], rows),
        "## From rows read to rows kept",
        _bars(card["funnel"]),
        "## Tokens",
        f"{tokens['total']} tokens in {tokens['rows']} rows, longest trace {tokens['longest']}, fill {tokens['fill']}.",
        _bars([(f"{low}-{high} tokens", count) for low, high, count in card["lengths"]]),
        "## Rejects",
        _table(
            ["rejected because", "rows", "for example"],
            [[why, n, "; ".join(card["reject_examples"][why])] for why, n in card["rejects"].items()],
        ),
        "## Contamination",
        _table(
            ["benchmark", "exact", "near", "items"],
            [[name, c["exact"], c["near"], c["items"]] for name, c in card["contamination"].items()],
        ),
        "## Sources",
        _table(
            ["source", "revision", "rows", "licence"],
            [[one["source"], one["revision"], one["rows"], one["licence"]] for one in card["licences"]],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _histogram(lengths: npt.NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """(from, to, traces), in ranges that double: traces of 50 and of 50,000 tokens share a picture."""
    powers = np.ceil(np.log2(np.maximum(lengths, 1))).astype(int)
    return [(2**p // 2 + 1 if p else 1, 2**p, n) for p, n in sorted(Counter(powers.tolist()).items())]


def _bars(steps: list[tuple[str, int]]) -> str:
    """A picture that needs no picture file: bars in a code block."""
    largest = max((count for _, count in steps), default=0) or 1
    width = max((len(name) for name, _ in steps), default=0)
    bars = [f"{name:<{width}}  {'█' * round(_BAR * count / largest):<{_BAR}}  {count}" for name, count in steps]
    return "\n".join(["```", *bars, "```"])


def _table(head: list[str], rows: list[list[Any]]) -> str:
    def line(cells: list[Any]) -> str:
        return f"| {' | '.join(' '.join(str(cell).replace('|', chr(92) + '|').split()) for cell in cells)} |"

    return "\n".join([line(head), "|---" * len(head) + "|", *map(line, rows)])
