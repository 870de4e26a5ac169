"""A lineage as an SVG: what it started from on the left, what came out of it on the right."""

from collections.abc import Mapping

from hexad.lineage.graph import Lineage, Node, layers
from hexad.markup.html import Html, tag

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 200, 58, 60, 22, 12
_FILLS = {"tree": "#eef3ff", "dataset": "#eaf7ee", "model": "#fdf3e3", "missing": "#fdecec"}
_LINES = {"tree": "#3b5bdb", "dataset": "#2b8a3e", "model": "#b36b00", "missing": "#c92a2a"}
_NAMES = {"tree": "", "dataset": "dataset", "model": "base model", "missing": "not found"}
_LONGEST = 22


def drawing(lineage: Lineage) -> Html:
    """The whole graph; hovering over a box shows its URI and digest."""
    places = _places(lineage)
    columns = layers(lineage)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + _MARGIN
    # Arrows that pass over several columns swing out above the boxes in between.
    spans = [columns[edge.target] - columns[edge.source] for edge in lineage.edges]
    # A cubic curve gets three quarters of the way to its two control points.
    peaks = [
        min(places[edge.source][1], places[edge.target][1]) - 3 * _swing(span) // 4
        for edge, span in zip(lineage.edges, spans, strict=True)
    ]
    top = min([*(y for _, y in places.values()), *peaks], default=0) - _MARGIN
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + _MARGIN - top
    arrow = tag(
        "marker", tag("path", d="M0 0 8 4 0 8z", fill="#868e96"), id="arrow", viewBox="0 0 8 8", refX=8, refY=4,
        markerWidth=7, markerHeight=7, orient="auto",
    )  # fmt: skip
    lines = [
        _line(places[edge.source], places[edge.target], edge.name, _swing(span))
        for edge, span in zip(lineage.edges, spans, strict=True)
    ]
    boxes = [_box(lineage.nodes[key], *place) for key, place in places.items()]
    return tag(
        "svg", tag("title", "Lineage"), tag("defs", arrow), *lines, *boxes, xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 {top} {width} {height}", width=width, height=height, role="img",
        font_family="system-ui, sans-serif",
    )  # fmt: skip


def _places(lineage: Lineage) -> dict[str, tuple[int, int]]:
    """Node to the left upper corner of its box. Within a column nodes stand near their sources."""
    columns: dict[int, list[str]] = {}
    for key, column in sorted(layers(lineage).items(), key=lambda item: item[1]):
        columns.setdefault(column, []).append(key)
    rows: dict[str, float] = {}
    for column in sorted(columns):
        columns[column].sort(key=lambda key: _mean_row(lineage, key, rows))
        rows |= {key: float(row) for row, key in enumerate(columns[column])}
    tallest = max(map(len, columns.values()), default=0)
    return {
        key: (_MARGIN + column * (_WIDTH + _ACROSS), int((row + (tallest - len(keys)) / 2) * (_HEIGHT + _DOWN)))
        for column, keys in columns.items()
        for row, key in enumerate(keys)
    }


def _mean_row(lineage: Lineage, key: str, rows: Mapping[str, float]) -> float:
    known = [rows[edge.source] for edge in lineage.sources(key)]
    return sum(known) / len(known) if known else 0.0


def _swing(span: int) -> int:
    """How far the middle of an arrow over `span` columns is bent upwards."""
    return 0 if span < 2 else 40 + 34 * span


def _line(source: tuple[int, int], target: tuple[int, int], name: str, swing: int) -> Html:
    x1, y1 = source[0] + _WIDTH, source[1] + _HEIGHT // 2
    x2, y2 = target[0], target[1] + _HEIGHT // 2
    bend = (x2 - x1) // (4 if swing else 2)
    course = f"M{x1} {y1}C{x1 + bend} {y1 - swing} {x2 - bend} {y2 - swing} {x2} {y2}"
    return tag(
        "path", tag("title", name), d=course, fill="none", stroke="#adb5bd", stroke_width=1.4,
        marker_end="url(#arrow)",
    )  # fmt: skip


def _box(node: Node, x: int, y: int) -> Html:
    told = [_NAMES[node.kind], _shortened(node.version)] if node.kind != "tree" else [node.version[:12], amount(node)]
    rectangle = tag(
        "rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=8, fill=_FILLS[node.kind], stroke=_LINES[node.kind],
        stroke_width=1.4, stroke_dasharray="5 4" if node.kind == "missing" else None,
    )  # fmt: skip
    title = tag("text", _shortened(node.name), x=x + 12, y=y + 24, font_size=13, font_weight=600, fill="#212529")
    detail = tag("text", " · ".join(part for part in told if part), x=x + 12, y=y + 44, font_size=12, fill="#495057")
    return tag("g", tag("title", f"{node.name} {node.uri} {node.version}"), rectangle, title, detail)


def amount(node: Node) -> str:
    """A tree's size for people."""
    size = float(node.bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
