"""Settings of the report."""

from pydantic import Field

from hexad.records import Record


class ReportConfig(Record):
    """What the page is called, and how much of the samples it shows."""

    title: str = Field("", description="Heading of the page; empty: made from the recipe's name.")
    recipe: str = Field("", description="Name of the recipe, as summary.json gives it; empty: the run's name.")
    date: str = Field("", description="Date printed under the title, e.g. 2026-01-31; empty: none, and the page is a "
                      "pure function of the run.")  # fmt: skip
    examples: int = Field(4, ge=0, le=100, description="Questions shown with their responses.")
    example_characters: int = Field(1200, ge=80, description="Characters of a response shown before it is cut.")
