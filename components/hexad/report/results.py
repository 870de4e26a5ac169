"""Scores of all cells, the differences between them, and how long the answers are."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hexad.markup.html import Html, figure, join, missing, table, tag
from hexad.records import DOMAINS, Score
from hexad.report.charts import axis_row, histogram_row, interval_bar
from hexad.report.overview import totals
from hexad.report.sources import Sources
from hexad.report.verdicts import HELPS, HURTS, NOTHING, compare
from hexad.report.wording import (
    CI95,
    NBSP,
    cell_class,
    cell_name,
    interval,
    number,
    p_value,
    percent,
    points,
    signed_interval,
)
from hexad.statistics.paired import FLIPS

_BINS = 48
_SHORT = {NOTHING: "not measurable"}


def cells(sources: Sources) -> Html:
    """Every cell with its interval: the total, then one small chart per domain."""
    found = totals(sources)
    if not found:
        return _section("cells", "Every cell", missing("No scores.", "The evaluation left none."))
    axis = (0.0, _ceiling([score.ci95[1] for score in found.values()]))
    domains = {
        domain: {cell: scores[domain] for cell, scores in sources.scores.scores.items() if domain in scores}
        for domain in DOMAINS
    }
    shared = (0.0, _ceiling([score.ci95[1] for scores in domains.values() for score in scores.values()] or [1.0]))
    small = [figure(domain, _interval_table(f"Accuracy per cell, {domain}", scores, shared, brief=True),
                    f"{max(score.questions for score in scores.values())} questions")
             for domain, scores in domains.items() if scores]  # fmt: skip
    text = f"Share of answers that the grader calls correct. {CI95}s resample questions, not samples."
    return _section(
        "cells", "Every cell", tag("p", text),
        figure("All six domains together", _interval_table("Accuracy per cell, all domains", found, axis)),
        tag("h3", "By domain") if small else "", tag("div", *small, class_="multiples"),
    )  # fmt: skip


def deltas(sources: Sources) -> Html:
    """The differences, paired by question, with what this number of questions could have seen at all."""
    compared = compare(sources.scores.deltas)
    if not compared:
        text = missing("No comparison.", "It takes two cells that were scored on the same questions.")
        return _section("deltas", "What each step changed", text)
    axis = (-_ceiling([0, *(-c.delta.ci95[0] for c in compared)]), _ceiling([0, *(c.delta.ci95[1] for c in compared)]))
    rows = [
        [f"{cell_name(c.delta.from_)} → {cell_name(c.delta.to)}",
         points(c.delta.delta), interval_bar(c.delta.delta, c.delta.ci95, axis, _tone(c.word)),
         signed_interval(*c.delta.ci95), p_value(c.delta.p), p_value(c.p_corrected),
         f"{100 * c.smallest_visible:.1f}", tag("span", _SHORT.get(c.word, c.word), class_=f"badge {_tone(c.word)}")]
        for c in compared
    ]  # fmt: skip
    rows.append(["points", "", axis_row(axis), *[""] * 5])
    head = ["Step", "Points", "", CI95, "p", "p, Holm", "Smallest visible", "Verdict"]
    note = (f"Differences are paired by question; p is from {number(FLIPS)} sign flips of the questions’ differences. "
            "“Smallest visible” is what this many questions would show four times in five.")  # fmt: skip
    main = table("Differences between cells, all domains, in percentage points", head, rows, plot=2)
    return _section("deltas", "What each step changed", main, tag("p", note, class_="muted"), _domain_deltas(sources))


def domain_table(sources: Sources) -> Html:
    found = sources.scores.scores
    columns = [b for b in (*DOMAINS, "all", "macro") if any(b in scores for scores in found.values())]
    if not columns:
        return _section("domains", "Domain by domain", missing("No scores.", "The evaluation left none."))
    rows = [[cell_name(cell), *(score_cell(scores.get(b)) for b in columns)] for cell, scores in found.items()]
    names = {"all": "all (micro)", "macro": "macro"}
    note = "Micro counts every question once; macro counts every domain once. They differ where domains differ in size."
    main = table(f"Accuracy in per cent, {CI95} below", ["Cell", *(names.get(b, b) for b in columns)], rows)
    counts = [
        [cell_name(cell), number(s["all"].questions), number(s["all"].samples),
         number(sources.scores.errors[cell]) if cell in sources.scores.errors else "–"]
        for cell, s in found.items() if "all" in s
    ]  # fmt: skip
    head = ["Cell", "Questions", "Graded samples", "Left out: errors"]
    errors = table("What was counted; errors of engine or grader are left out, never wrong", head, counts)
    return _section("domains", "Domain by domain", main, tag("p", note, class_="muted"), errors)


def lengths(sources: Sources) -> Html:
    """Tokens per answer: one histogram a cell on a shared axis."""
    known = {cell: [v for v in values if math.isfinite(v) and v >= 0] for cell, values in sources.lengths.items()}
    known = {cell: values for cell, values in known.items() if values}
    if not known:
        return _section("lengths", "How long the answers are", missing("No lengths.", "The evaluation left none."))
    top = max(1.0, *(max(values) for values in known.values()))
    edges = [top * i / _BINS for i in range(_BINS + 1)]
    found = totals(sources)
    rows = [
        [cell_name(cell), number(float(np.median(values))), histogram_row(values, edges, cell_class(cell)),
         number(round(float(np.quantile(values, 0.95)))), percent(found[cell].truncated) if cell in found else "–"]
        for cell, values in known.items()
    ]  # fmt: skip
    rows.append(["tokens", "", axis_row((0.0, top), scale=1), "", ""])
    head = ["Cell", "Median", "", f"95{NBSP}% below", "Cut off"]
    note = ("Tokens generated for one request. A scaffold that plans or samples several candidates spends all of them, "
            "so a short final answer is not a cheap one.")  # fmt: skip
    main = table("Tokens per request and cell", head, rows, plot=2)
    return _section("lengths", "How long the answers are", main, tag("p", note, class_="muted"))


def _interval_table(caption: str, scores: Mapping[str, Score], axis: tuple[float, float], brief: bool = False) -> Html:
    rows = []
    for cell, score in scores.items():
        colour = cell_class(cell) + (" hollow" if cell.endswith("+spec") else "")
        bar = interval_bar(score.mean, score.ci95, axis, colour)
        extra = [] if brief else [interval(*score.ci95), number(score.mean_tokens)]
        rows.append([cell_name(cell), percent(score.mean), bar, *extra])
    extra_head = [] if brief else [CI95, "Mean tokens"]
    rows.append(["per cent", "", axis_row(axis, count=2 if brief else 4), *[""] * len(extra_head)])
    return table(caption, ["Cell", "Accuracy", "", *extra_head], rows, plot=2)


def _domain_deltas(sources: Sources) -> Html:
    """Per-domain differences in a fold; corrected per domain over the same steps."""
    rows = []
    for domain in (*DOMAINS, "macro"):
        for c in compare(sources.scores.deltas, domain):
            step = f"{cell_name(c.delta.from_)} → {cell_name(c.delta.to)}"
            rows.append([domain, step, points(c.delta.delta), signed_interval(*c.delta.ci95), p_value(c.delta.p),
                         p_value(c.p_corrected), c.word])  # fmt: skip
    if not rows:
        return join([])
    head = ["Domain", "Step", "Points", CI95, "p", "p, Holm", "Verdict"]
    main = table(
        "Differences per domain, in percentage points; Holm’s correction within a domain", head, rows, numeric=2
    )
    return tag("details", tag("summary", "The same, domain by domain"), main)


def score_cell(score: Score | None) -> Html:
    if score is None:
        return join(["–"])
    return join([f"{100 * score.mean:.1f}", tag("small", interval(*score.ci95), class_="below")])


def _tone(word: str) -> str:
    return {HELPS: "good", HURTS: "bad"}.get(word, "neutral")


def _ceiling(values: Sequence[float]) -> float:
    """A round number a little above the largest value, at most 1."""
    top = max(values)
    return min(1.0, next(t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, math.inf) if t >= top))


def _section(identity: str, title: str, *content: str) -> Html:
    return tag("section", tag("h2", title), *content, id=identity)
