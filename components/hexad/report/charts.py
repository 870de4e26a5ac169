"""Chart primitives as inline SVG, coloured by the page's style sheet so that they follow light and dark.

Two kinds: charts of rows (intervals, bars, histograms) measure x in per cent and stretch with the page while their text
stays HTML; line charts have a fixed view box and scale as a whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hexad.markup.html import Html, join, tag
from hexad.report.wording import number

WIDTH, HEIGHT = 440, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 40
_MAX_POINTS = 240


@dataclass(frozen=True)
class Series:
    """One line: points in order of x; `colour` is a CSS class; `dots` marks every point."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    spread: Sequence[float] | None = None
    dots: bool = False


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    raw = span / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def interval_bar(mean: float, ci95: tuple[float, float], axis: tuple[float, float], colour: str) -> Html:
    """A dot with its interval on a row; `axis` is the (left, right) value. A line marks zero where it lies inside."""
    marks = [_vertical(t, axis, "zero" if t == 0 and axis[0] < 0 else "grid") for t in ticks(*axis)]
    line = tag("line", x1=_at(ci95[0], axis), x2=_at(ci95[1], axis), y1="50%", y2="50%", class_="whisker")
    dot = tag("circle", cx=_at(mean, axis), cy="50%", r="5.5", class_="dot")
    return tag("svg", *marks, tag("g", line, dot, class_=colour), class_="row", aria_hidden="true", focusable="false")


def axis_row(axis: tuple[float, float], scale: float = 100, count: int = 4) -> Html:
    """About `count` labels under a column of drawings; values are written times `scale`."""
    labels = [tag("text", number(t * scale).replace("-", "−"), x=_at(t, axis), y="12", text_anchor=_anchor(t, axis))
              for t in ticks(*axis, count)]  # fmt: skip
    return tag("svg", *labels, class_="axis", aria_hidden="true", focusable="false")


def share_bar(value: float, colour: str) -> Html:
    """A horizontal bar of length `value`, 0..1."""
    width = f"{100 * min(max(value, 0.0), 1.0):.2f}%"
    bar = tag("rect", x="0", y="20%", width=width, height="60%", rx="2", class_="bar")
    return tag("svg", tag("g", bar, class_=colour), class_="row", aria_hidden="true", focusable="false")


def histogram_row(values: Sequence[float], edges: Sequence[float], colour: str) -> Html:
    """Counts of `values` between `edges`, scaled to the row's own peak."""
    counts = [0] * (len(edges) - 1)
    span = edges[-1] - edges[0]
    for value in values:
        counts[min(int((value - edges[0]) / span * len(counts)), len(counts) - 1)] += 1
    peak, width = max(counts), 100 / len(counts)
    bars = [
        tag("rect", x=f"{i * width:.2f}%", width=f"{width * 0.92:.2f}%", y=f"{100 - 100 * c / peak:.1f}%",
            height=f"{100 * c / peak:.1f}%", class_="bar")
        for i, c in enumerate(counts) if c
    ]  # fmt: skip
    return tag("svg", tag("g", *bars, class_=colour), class_="row tall", aria_hidden="true", focusable="false")


def line_chart(
    series: Sequence[Series], x_label: str, y_label: str, summary: str, *, unit_square: bool = False,
    extra: Html | None = None,
) -> Html:  # fmt: skip
    """Lines over shared axes with a legend. `summary` is read aloud instead of the drawing.

    `unit_square`: both axes run from 0 to 1; then `extra` (see `diagonal`, `dots`) is drawn below the lines.
    """
    shown = [_thinned(s) for s in series]
    x_axis = _range([x for s in shown for x in s.x])
    y_axis = _padded([v for s in shown for y, e in _with_spread(s) for v in (y - e, y + e)])
    frame = _Frame((0, 1), (0, 1)) if unit_square else _Frame(x_axis, y_axis)
    drawn = [_line(frame, s) for s in shown]
    drawing = tag(
        "svg", tag("title", summary), frame.axes(x_label, y_label), extra or "", *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=summary, class_="chart",
    )  # fmt: skip
    return join([drawing, _legend(shown)]) if len(shown) > 1 else drawing


def diagonal() -> Html:
    """The line y = x of a chart whose axes both run from 0 to 1."""
    frame = _Frame((0, 1), (0, 1))
    return tag("line", x1=frame.x(0), y1=frame.y(0), x2=frame.x(1), y2=frame.y(1), class_="reference")


def dots(x: Sequence[float], y: Sequence[float], weights: Sequence[float], colour: str) -> Html:
    """Dots on 0..1 axes whose area grows with their weight."""
    frame, top = _Frame((0, 1), (0, 1)), max(weights, default=1) or 1
    marks = [tag("circle", cx=frame.x(a), cy=frame.y(b), r=2.5 + 6 * math.sqrt(w / top), class_="dot see-through")
             for a, b, w in zip(x, y, weights, strict=True)]  # fmt: skip
    return tag("g", *marks, class_=colour)


class _Frame:
    """Data coordinates to the view box of a line chart."""

    def __init__(self, x_axis: tuple[float, float], y_axis: tuple[float, float]) -> None:
        self._x, self._y = x_axis, y_axis

    def x(self, value: float) -> float:
        return _LEFT + (value - self._x[0]) / ((self._x[1] - self._x[0]) or 1) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self._y[0]) / ((self._y[1] - self._y[0]) or 1) * (HEIGHT - _TOP - _BOTTOM)

    def axes(self, x_label: str, y_label: str) -> Html:
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        parts = []
        for t in ticks(*self._y):
            parts.append(tag("line", x1=_LEFT, x2=right, y1=self.y(t), y2=self.y(t), class_="grid"))
            parts.append(tag("text", number(t), x=_LEFT - 6, y=self.y(t) + 4, text_anchor="end"))
        for t in ticks(*self._x, count=5):
            parts.append(tag("text", number(t), x=self.x(t), y=bottom + 16, text_anchor="middle"))
        parts.append(tag("line", x1=_LEFT, x2=right, y1=bottom, y2=bottom, class_="base-line"))
        middle = (_TOP + bottom) / 2
        turned = f"rotate(-90 11 {middle:.0f})"
        parts.append(tag("text", x_label, x=(_LEFT + right) / 2, y=HEIGHT - 5, text_anchor="middle", class_="label"))
        parts.append(tag("text", y_label, x=11, y=middle, text_anchor="middle", class_="label", transform=turned))
        return tag("g", *parts)


def _line(frame: _Frame, series: Series) -> Html:
    points = list(zip(series.x, series.y, strict=True))
    parts = []
    if series.spread is not None and len(points) > 1:
        upper = [(x, y + e) for (x, y), e in zip(points, series.spread, strict=True)]
        lower = [(x, y - e) for (x, y), e in zip(points, series.spread, strict=True)]
        parts.append(tag("polygon", points=_path(frame, upper + lower[::-1]), class_="band"))
    if len(points) > 1:
        parts.append(tag("polyline", points=_path(frame, points), class_="line"))
    if series.dots or len(points) == 1:
        parts += [tag("circle", cx=frame.x(x), cy=frame.y(y), r=3, class_="dot") for x, y in points]
    return tag("g", *parts, class_=series.colour)


def _path(frame: _Frame, points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)


def _legend(series: Sequence[Series]) -> Html:
    entries = [tag("li", tag("span", class_="swatch"), s.name, class_=s.colour) for s in series]
    return tag("ul", *entries, class_="legend")


def _thinned(series: Series) -> Series:
    """At most 240 points, each the mean of its neighbours, so that a long run stays a small page."""
    size = math.ceil(len(series.x) / _MAX_POINTS)
    if size <= 1:
        return series

    def reduce(values: Sequence[float]) -> list[float]:
        return [sum(values[i : i + size]) / len(values[i : i + size]) for i in range(0, len(values), size)]

    spread = reduce(series.spread) if series.spread is not None else None
    return Series(series.name, reduce(series.x), reduce(series.y), series.colour, spread, series.dots)


def _with_spread(series: Series) -> list[tuple[float, float]]:
    return list(zip(series.y, series.spread or [0.0] * len(series.y), strict=True))


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = _range(values)
    pad = 0.06 * (high - low)
    return (0.0 if 0 <= low < 0.3 * high else low - pad, high + pad)


def _at(value: float, axis: tuple[float, float]) -> str:
    return f"{100 * (value - axis[0]) / (axis[1] - axis[0]):.2f}%"


def _vertical(value: float, axis: tuple[float, float], kind: str) -> Html:
    return tag("line", x1=_at(value, axis), x2=_at(value, axis), y1="0", y2="100%", class_=kind)


def _anchor(value: float, axis: tuple[float, float]) -> str:
    place = (value - axis[0]) / (axis[1] - axis[0])
    return "start" if place < 0.04 else "end" if place > 0.96 else "middle"
