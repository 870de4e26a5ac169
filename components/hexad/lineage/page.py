"""A lineage as one self-contained page: the drawing, and every tree with its place and the code that made it."""

from collections.abc import Sequence

from hexad.lineage.drawing import amount, drawing
from hexad.lineage.graph import Lineage
from hexad.markup.html import document, join, stylesheet, table, tag
from hexad.records import Manifest

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem;  color: #212529; }
.scroll { overflow-x: auto; }
svg { min-width: 1200px; max-width: 100%; height: auto; } table { border-collapse: collapse; margin-top: 1.5rem; }
th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #dee2e6; vertical-align: top; }
code { font-size: .85em; overflow-wrap: anywhere; } caption { text-align: left; font-weight: 600; }
"""


def page(lineage: Lineage, manifests: Sequence[Manifest], title: str) -> str:
    """HTML for a browser."""
    rows = []
    for manifest in manifests:
        origin, node = manifest.provenance, lineage.nodes[manifest.digest]
        values = (manifest.digest[:16], manifest.uri, origin.git, origin.image, origin.config[:16])
        digest, uri, git, image, config = (tag("code", value) if value else join(["–"]) for value in values)
        rows.append([origin.stage, digest, amount(node), uri, git, image, config, str(origin.seed)])
    header = ["Stage", "Digest", "Size", "Place", "Commit", "Image", "Config", "Seed"]
    head = join([tag("meta", charset="utf-8"), tag("title", title), stylesheet(_STYLE)])
    body = join([
        tag("h1", title), tag("div", drawing(lineage), class_="scroll"),
        table("Trees", header, rows, numeric=len(header)),
    ])  # fmt: skip
    return document("en", head, body)
