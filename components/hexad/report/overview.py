"""The top of the page: title, what the run bought in words, the pipeline, the pillars."""

from collections.abc import Mapping

from pydantic import JsonValue

from hexad.markup.html import Html, join, missing, tag
from hexad.records import Score
from hexad.report.sources import STAGE_OF_INPUT, Sources
from hexad.report.verdicts import HELPS, HURTS, NOTHING, UNKNOWN, Pillar, compare
from hexad.report.wording import CI95, cell_name, duration, interval, p_phrase, percent, points, size

BOXES = (
    ("preflight", "checks before money is spent"),
    ("curate", "traces and prompts"),
    ("sft", "learns from traces"),
    ("rlvr", "learns from graders"),
    ("verifier", "learns to choose"),
    ("drafter", "learns to propose"),
    ("serve", "engine and gateway"),
    ("evaluate", "every cell, graded"),
    ("gate", "promote or hold"),
    ("report", "this page"),
)
_WORD_CLASS = {HELPS: "good", HURTS: "bad", NOTHING: "neutral", UNKNOWN: "neutral", "refused": "bad"}


def header(title: str, facts: list[tuple[str, str]]) -> Html:
    shown = [tag("span", tag("b", name), f" {value}") for name, value in facts if value]
    return tag("header", tag("p", "Hexad", class_="brand"), tag("h1", title), tag("p", *shown, class_="facts"))


def headline(sources: Sources, cards: list[Pillar]) -> Html:
    """What the run bought, in words."""
    sentence = _headline_sentence(sources)
    if not sentence:
        body = missing("No headline.", "The evaluation left no scores.")
    else:
        body = join([tag("p", sentence, class_="lead"), tag("p", _tally(cards))])
    return tag("section", tag("h2", "What this run bought"), body, id="bought")


def pipeline(sources: Sources) -> Html:
    by_stage = {stage: name for name, stage in STAGE_OF_INPUT.items()}
    boxes = []
    for stage, what in BOXES:
        lines: list[str] = []
        name = by_stage.get(stage)
        state = ""
        if name in sources.idle or (name is not None and name not in sources.manifests):
            lines.append("took no step" if name in sources.idle else "left nothing")
            state = "off"
        elif name is not None:
            manifest = sources.manifests[name]
            seconds = stage_seconds(manifest.metadata)
            lines += [duration(seconds)] * (seconds > 0) + [size(manifest.total_bytes)]
        boxes.append(tag("li", tag("b", stage), tag("span", what, class_="muted"),
                         tag("span", " · ".join(lines), class_="numbers"), class_=state or None))  # fmt: skip
    caption = ("Each box is a step of the pipeline, left to right. Times and sizes where the run recorded them. "
               "The evaluation's groups of cells may run side by side; theirs are added up.")  # fmt: skip
    return tag("section", tag("h2", "The pipeline"), tag("ol", *boxes, class_="pipeline"),
               tag("p", caption, class_="muted"), id="pipeline")  # fmt: skip


def stage_seconds(metadata: Mapping[str, JsonValue]) -> float:
    """What a stage and, for the evaluation, its groups took as their manifest says; 0 when it says nothing usable."""
    times = (metadata.get("seconds"), metadata.get("groups_seconds"))
    return sum(max(0.0, float(t)) for t in times if isinstance(t, int | float))


def pillar_cards(cards: list[Pillar]) -> Html:
    shown = [
        tag("article",
            tag("h3", tag("span", str(card.number), class_="hexagon", aria_hidden="true"), card.name),
            tag("p", card.what, class_="muted"),
            _big_number(card),
            tag("p", tag("span", card.word, class_=f"badge {_WORD_CLASS.get(card.word, 'neutral')}")),
            tag("p", card.detail, class_="detail"))
        for card in cards
    ]  # fmt: skip
    rule = (f"“Helps” takes a {CI95} wholly above zero and p below 0.05 after Holm’s correction over all the "
            "comparisons on this page that concern the total; “hurts” the same below zero.")  # fmt: skip
    return tag("section", tag("h2", "The six pillars"), tag("div", *shown, class_="cards"),
               tag("p", rule, class_="muted"), id="pillars")  # fmt: skip


def best_scaffold(totals: dict[str, Score]) -> str | None:
    """The scaffold cell with the highest total, without speculation; None when none was run."""
    cells = [cell for cell in totals if cell.startswith("rlvr+") and not cell.endswith("+spec")]
    return max(cells, key=lambda cell: totals[cell].mean, default=None)


def totals(sources: Sources) -> dict[str, Score]:
    return {cell: scores["all"] for cell, scores in sources.scores.scores.items() if "all" in scores}


def _headline_sentence(sources: Sources) -> str:
    found = totals(sources)
    if not found:
        return ""
    best = best_scaffold(found)
    names = {"base": "the base model", "sft": "supervised fine-tuning", "rlvr": "RL with verifiable rewards"}
    if best:
        names[best] = f"the best scaffold cell ({cell_name(best)})"
    steps = [(name, found[cell]) for cell, name in names.items() if cell in found]
    if not steps:
        return ""
    questions = max(score.questions for _, score in steps)
    told = [f"{name} {'answers' if name == 'the base model' else 'reaches'} {percent(score.mean)} "
            f"({interval(*score.ci95)})" for name, score in steps]  # fmt: skip
    sentence = f"On {questions} test questions " + _listed(told) + f"; {CI95}s in brackets."
    gain = next((c for c in compare(sources.scores.deltas) if (c.delta.from_, c.delta.to) == ("rlvr", best)), None)
    if gain is not None:
        said = {HELPS: "it helps", HURTS: "it hurts", NOTHING: NOTHING}[gain.word]
        sentence += f" Against RLVR alone that scaffold is worth {points(gain.delta.delta)} points"
        sentence += f" (corrected {p_phrase(gain.p_corrected)}): {said}."
    return sentence


def _tally(cards: list[Pillar]) -> Html:
    groups = [("Helps", HELPS), ("Hurts", HURTS), ("No measurable effect at this size", NOTHING),
              ("Not measured", UNKNOWN), ("Refused", "refused")]  # fmt: skip
    lines = []
    for title, word in groups:
        names = [card.name for card in cards if card.word == word]
        if names:
            lines.append(join([tag("b", f"{title}: "), "; ".join(names), ". "]))
    others = [f"{card.name}: {card.word}" for card in cards if card.word not in {word for _, word in groups}]
    return join([*lines, " ".join(f"{line}." for line in others)])


def _big_number(card: Pillar) -> Html:
    if card.figure is None:
        return tag("p", "–", class_="big muted", aria_hidden="true")
    return tag("p", card.figure[0], tag("small", f" {card.figure[1]}"), class_="big")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
