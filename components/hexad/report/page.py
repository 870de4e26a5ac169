"""The report as one self-contained HTML page: no script, no request, style and drawings inline."""

from importlib.resources import files

from hexad.markup.html import document, join, stylesheet, tag
from hexad.report.config import ReportConfig
from hexad.report.overview import header, headline, pillar_cards, pipeline
from hexad.report.provenance import data_card, examples, limits, lineage
from hexad.report.results import cells, deltas, domain_table, lengths
from hexad.report.sources import Sources
from hexad.report.subsets import subsets
from hexad.report.training import curves, speculation, verifier
from hexad.report.verdicts import pillars
from hexad.stage.context import Context

# The browser itself then refuses scripts and requests, should hostile text ever get past the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_CONTENTS = (
    ("bought", "Result"), ("pipeline", "Pipeline"), ("pillars", "Pillars"), ("cells", "Cells"), ("deltas", "Steps"),
    ("training", "Training"), ("verifier", "Verifier"), ("speculation", "Speculation"), ("lengths", "Lengths"),
    ("domains", "Domains"), ("subsets", "Clean items"), ("data", "Data"), ("samples", "Samples"),
    ("lineage", "Lineage"), ("limits", "Limits"),
)  # fmt: skip


def recipe_name(config: ReportConfig, context: Context) -> str:
    return config.recipe or context.run


def render(sources: Sources, config: ReportConfig, context: Context) -> str:
    """The whole page. Same input, same bytes."""
    recipe = recipe_name(config, context)
    title = config.title or f"What each pillar bought: {recipe}"
    facts = [("recipe", recipe), ("run", context.run), ("seed", str(context.seed)), ("git", context.git[:12]),
             ("date", config.date)]  # fmt: skip
    cards = pillars(sources)
    head = join([
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        stylesheet(files("hexad.report").joinpath("style.css").read_text(encoding="utf-8")),
    ])  # fmt: skip
    links = [tag("li", tag("a", name, href=f"#{identity}")) for identity, name in _CONTENTS]
    sections = [
        headline(sources, cards), pipeline(sources), pillar_cards(cards), cells(sources), deltas(sources),
        curves(sources), verifier(sources), speculation(sources), lengths(sources), domain_table(sources),
        subsets(sources), data_card(sources), examples(sources, config), lineage(sources), limits(sources),
    ]  # fmt: skip
    nav = tag("nav", tag("ul", *links), aria_label="On this page")
    body = join([header(title, facts), nav, tag("main", *sections)])
    return document("en", head, body)
