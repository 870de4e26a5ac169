"""Each benchmark's scores on all of its items, on the clean and on the contaminated ones."""

from collections.abc import Iterator, Mapping

from hexad.markup.html import Html, missing, table, tag
from hexad.records import Overlap, SubsetName, SubsetScores
from hexad.report.results import score_cell
from hexad.report.sources import Sources
from hexad.report.wording import CI95, cell_name, number

_ORDER: tuple[SubsetName, ...] = ("all", "clean", "contaminated")
_TITLE = "Without what leaked"


def subsets(sources: Sources) -> Html:
    """One row for each benchmark and subset, one column for each cell."""
    measured = {name: one for name, one in sources.scores.contamination.items() if one.subsets}
    if not measured:
        body = [missing("No clean and contaminated items.", "The evaluation left none.")]
    else:
        cells = [cell for cell in sources.scores.scores if any(cell in s.scores for s in _found(measured))]
        rows = [
            [f"{name}, {subset}", number(one.subsets[subset].items), *_cells(one.subsets[subset], cells)]
            for name, one in measured.items()
            for subset in _ORDER
            if subset in one.subsets
        ]
        head = ["Benchmark, items", "Items", *(cell_name(cell) for cell in cells)]
        note = ("Contaminated items were found in the raw training data, by text or by date, and the rows that held "
                "them were dropped before training. Scores on the clean items do not lean on that.")  # fmt: skip
        body = [table(f"Accuracy in per cent, {CI95} below", head, rows), tag("p", note, class_="muted")]
    return tag("section", tag("h2", _TITLE), *body, id="subsets")


def _found(measured: Mapping[str, Overlap]) -> Iterator[SubsetScores]:
    return (found for one in measured.values() for found in one.subsets.values())


def _cells(subset: SubsetScores, cells: list[str]) -> list[str]:
    if not subset.items:
        return ["empty"] * len(cells)
    return [score_cell(subset.scores[cell]) if cell in subset.scores else "not asked" for cell in cells]
