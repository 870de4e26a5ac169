"""HTML and SVG as values: text is escaped unless it already is `Html`, so model output cannot become markup."""

import html
from collections.abc import Iterable

_VOID = {"meta", "br"}
# HTML forbids control characters; a model may write them all the same.
_CONTROLS = {code: "\ufffd" for code in range(32) if chr(code) not in "\t\n\r"}


class Html(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | float | None) -> Html:
    """`<name attributes>children</name>`. `class_` is class, `aria_label` aria-label; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """All parts in order, each escaped unless it is markup."""
    return Html("".join(part if isinstance(part, Html) else _escape(part) for part in parts))


def stylesheet(css: str) -> Html:
    """A style element; its content is our own file, never data."""
    return Html(f"<style>{css}</style>")


def document(language: str, head: Html, body: Html) -> str:
    return f'<!doctype html>\n<html lang="{language}"><head>{head}</head><body>{body}</body></html>\n'


def table(caption: str, header: list[str], rows: list[list[str]], *, numeric: int = 1, plot: int | None = None) -> Html:
    """A captioned table that scrolls sideways by itself.

    Columns from `numeric` on are set right-aligned; column `plot` holds drawings and takes the room that is left.
    """
    kinds = ["plot" if column == plot else "number" if column >= numeric else "" for column in range(len(header))]
    head = tag("tr", *(tag("th", h, scope="col", class_=k or None) for h, k in zip(header, kinds, strict=True)))
    body = [
        tag("tr", tag("th", row[0], scope="row"),
            *(tag("td", cell, class_=kind or None) for cell, kind in zip(row[1:], kinds[1:], strict=True)))
        for row in rows
    ]  # fmt: skip
    content = tag("table", tag("caption", tag("span", caption)), tag("thead", head), tag("tbody", *body))
    return tag("div", content, class_="scroll", role="region", aria_label=caption, tabindex="0")


def figure(title: str, drawing: str, note: str = "") -> Html:
    caption = tag("figcaption", tag("strong", title), *([" ", tag("span", note, class_="muted")] if note else []))
    return tag("figure", caption, drawing)


def missing(what: str, why: str) -> Html:
    """Says in place that a part of the page has nothing to show."""
    return tag("p", tag("strong", what), " ", why, class_="missing")


def _escape(text: str) -> str:
    return html.escape(text).translate(_CONTROLS)


def _short(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
