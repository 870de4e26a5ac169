"""The dataset card: counts at each step, as JSON for the report and as Markdown for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hexad.curation.tokenize import Tokenized
from hexad.records import Prompt, Reject, Trace


def card_json(
    traces: Sequence[Trace],
    splits: Mapping[str, Sequence[Prompt]],
    rejects: Sequence[Reject],
    contamination: Mapping[str, Mapping[str, int]],
    lengths: Sequence[int],
    bins: Sequence[Sequence[Tokenized]],
    capacity: int,
) -> dict[str, Any]:
    total = sum(lengths)
    counts = {"traces": Counter(t.domain for t in traces)}
    counts |= {f"prompts ({name})": Counter(p.domain for p in rows) for name, rows in splits.items()}
    return {
        "counts": {name: dict(sorted(found.items())) for name, found in counts.items()},
        "rejects": dict(Counter(f"{r.stage}: {r.reason}" for r in rejects)),
        "contamination": {name: dict(found) for name, found in contamination.items()},
        "tokens": {
            "total": total,
            "longest": max(lengths, default=0),
            "rows": len(bins),
            "fill": round(total / (len(bins) * capacity), 4) if capacity and bins else 1.0,
        },
        "sources": {t.source: t.revision for t in traces},
    }


def card_markdown(card: Mapping[str, Any]) -> str:
    domains = sorted({domain for found in card["counts"].values() for domain in found})
    lines = ["# Dataset", "", f"| use | {' | '.join(domains)} |", "|---" * (len(domains) + 1) + "|"]
    for name, found in card["counts"].items():
        lines.append(f"| {name} | {' | '.join(str(found.get(d, 0)) for d in domains)} |")
    tokens = card["tokens"]
    lines += [
        "",
        f"{tokens['total']} tokens in {tokens['rows']} rows, longest trace {tokens['longest']}, fill {tokens['fill']}.",
    ]
    lines += [
        "",
        "| rejected because | rows |",
        "|---|---|",
        *(f"| {why} | {n} |" for why, n in card["rejects"].items()),
    ]
    lines += ["", "| benchmark | exact | near | items |", "|---|---|---|---|"]
    lines += [f"| {b} | {c['exact']} | {c['near']} | {c['items']} |" for b, c in card["contamination"].items()]
    return "\n".join(lines) + "\n"
