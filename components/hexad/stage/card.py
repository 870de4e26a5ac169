"""The page that most stages leave: their figures as a table."""

from collections.abc import Mapping


def figures_card(title: str, figures: Mapping[str, float], columns: tuple[str, str] = ("figure", "value")) -> str:
    """Markdown: `title` as heading, one row per figure, four significant digits."""
    lines = "".join(f"| {name} | {value:.4g} |\n" for name, value in figures.items())
    return f"# {title}\n\n| {columns[0]} | {columns[1]} |\n|---|---|\n{lines}"
