"""Where the numbers come from: data, samples, lineage, and what the page cannot show."""

import json

from pydantic import JsonValue

from hexad.markup.html import Html, join, missing, table, tag
from hexad.records import DOMAINS
from hexad.report.config import ReportConfig
from hexad.report.sources import STAGE_OF_INPUT, Example, Sources
from hexad.report.wording import cell_name, number, size

_STATUS_CLASS = {"correct": "good", "incorrect": "bad"}
_SHOWN_REJECTS = 30


def data_card(sources: Sources) -> Html:
    card = sources.card
    parts: list[str] = []
    if card.counts:
        known = {domain for counts in card.counts.values() for domain in counts}
        domains = [d for d in DOMAINS if d in known] + sorted(known - set(DOMAINS))
        rows = [[split, *(number(counts.get(d, 0)) for d in domains), number(sum(counts.values()))]
                for split, counts in card.counts.items()]  # fmt: skip
        parts.append(table("Rows per split and domain", ["Split", *domains, "Total"], rows))
    if card.rejects:
        ordered = sorted(card.rejects.items(), key=lambda item: -item[1])
        rows = [[reason, number(count)] for reason, count in ordered[:_SHOWN_REJECTS]]
        rest = ordered[_SHOWN_REJECTS:]
        if rest:
            rows.append([f"{len(rest)} other reasons", number(sum(count for _, count in rest))])
        parts.append(table("Rows left out, by reason", ["Reason", "Rows"], rows))
    if card.contamination:
        rows = [[name, number(o.exact), number(o.near), number(o.items)] for name, o in card.contamination.items()]
        # Many rows may be copies of one item, so they are no share of the items.
        head = ["Benchmark", "Rows, word for word", "Rows, nearly", "Items"]
        parts.append(table("Training rows that were test questions, and were dropped", head, rows))
    elif parts:
        parts.append(missing("No contamination table.", "Curation left no overlap counts."))
    if card.sources:
        rows = [[name, _plain(value)] for name, value in card.sources.items()]
        parts.append(table("Sources", ["Source", "What"], rows, numeric=2))
    if card.tokens is not None:
        parts.append(tag("p", tag("b", "Tokens: "), _plain(card.tokens)))
    if not parts:
        parts.append(missing("No data card.", "Curation left no card.json."))
    return tag("section", tag("h2", "The data"), tag("div", *parts, class_="cards wide"), id="data")


def examples(sources: Sources, config: ReportConfig) -> Html:
    shown = sources.examples[: config.examples]
    if not shown:
        body = missing("No samples.", "The evaluation left none." if config.examples else "The recipe asks for none.")
        return tag("section", tag("h2", "Samples"), body, id="samples")
    note = "A few questions with one answer of each cell, as sampled. They illustrate; the tables are the evidence."
    folds = [_example(e, config.example_characters, first=i == 0) for i, e in enumerate(shown)]
    return tag("section", tag("h2", "Samples"), tag("p", note, class_="muted"), *folds, id="samples")


def lineage(sources: Sources) -> Html:
    if not sources.manifests:
        body = missing("No lineage.", "The report was given no manifests.")
        return tag("section", tag("h2", "Lineage"), body, id="lineage")
    made_by = {m.digest: m.provenance.stage for m in sources.manifests.values()}
    rows = []
    for name in (*STAGE_OF_INPUT, *sorted(set(sources.manifests) - set(STAGE_OF_INPUT))):
        if name not in sources.manifests:
            continue
        manifest = sources.manifests[name]
        stage = STAGE_OF_INPUT.get(name, name) + " (took no step)" * (name in sources.idle)
        inputs = [join([f"{key}: ", tag("code", digest[:12]), f" ({made_by[digest]})" if digest in made_by else "",
                        tag("br")]) for key, digest in manifest.provenance.inputs.items()]  # fmt: skip
        place = tag("code", manifest.uri, class_="uri")
        rows.append([stage, place, tag("code", manifest.digest[:12], title=manifest.digest), size(manifest.total_bytes),
                     join(inputs) if inputs else "–"])  # fmt: skip
    head = ["Stage", "Manifest", "Digest", "Size", "Inputs"]
    main = table("Every stage’s tree, by digest", head, rows, numeric=len(head))
    more = [("Datasets", "datasets"), ("Base models", "base_model")]
    pinned = []
    for title, field in more:
        merged = {key: value for m in sources.manifests.values() for key, value in getattr(m.provenance, field).items()}
        if merged:
            pinned.append(
                table(f"{title} and revisions", [title, "Revision"], [[k, v] for k, v in merged.items()], numeric=2)
            )
    return tag("section", tag("h2", "Lineage"), main, *pinned, id="lineage")


def limits(sources: Sources) -> Html:
    """What a reader must not conclude from the page."""
    items = [
        "One run with one seed: the intervals cover the choice of questions and samples, not the luck of training. A "
        "second seed may move every row.",
        "“No measurable effect at this size” is not “no effect”: it means less than about the smallest visible "
        "difference in the table.",
        "The best scaffold cell is the best of several. Its p is corrected for that, its estimate is still a little "
        "flattered.",
        "A scaffold spends more tokens on a question than one sample. Accuracy at equal cost is not compared here.",
        "Questions come from the sources in the data card. How the model does on others is not shown.",
        "Overlap with training data is searched by text. A paraphrase can escape it, and what the base model was "
        "pretrained on is unknown.",
        "Answers that failed for reasons of engine or grader are left out of all averages; their number stands in the "
        "domain table.",
        "Speed was taken on the machine of this run, which may have been busy. It says little of another machine.",
    ]
    parts: list[str] = [tag("ul", *(tag("li", item) for item in items))]
    if sources.notes:
        parts += [tag("h3", "Files that could not be read in full"),
                  tag("ul", *(tag("li", note) for note in sources.notes))]  # fmt: skip
    return tag("section", tag("h2", "What this page does not show"), *parts, id="limits")


def _example(example: Example, limit: int, first: bool) -> Html:
    answers = [
        tag("div",
            tag("h4", cell_name(cell), " ",
                tag("span", found.status.replace("_", " ") or "no verdict",
                    class_=f"badge {_STATUS_CLASS.get(found.status, 'neutral')}")),
            tag("pre", _cut(found.response, limit) or "(empty)", dir="auto"), class_="answer")
        for cell, found in example.cells.items()
    ]  # fmt: skip
    question = _cut(example.question, limit)
    title = question if len(question) <= 110 else question[:107] + "…"
    return tag(
        "details", tag("summary", tag("span", example.domain or "?", class_="badge neutral"), " ", tag("bdi", title)),
        tag("pre", question, class_="question", dir="auto"),
        tag("p", tag("b", "Reference answer: "), tag("code", _cut(_plain(example.gold), limit), dir="auto")),
        tag("div", *answers, class_="answers"), open="open" if first else None,
    )  # fmt: skip


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n… {len(text) - limit} more characters"


def _plain(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    return json.dumps(value, ensure_ascii=False)
