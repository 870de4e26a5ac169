"""A benchmark's items by whether training data held them: curation decides, evaluation scores, the report shows."""

from typing import Literal

from hexad.records.base import Record

SubsetName = Literal["all", "clean", "contaminated"]


class Subsets(Record):
    """Ids of a benchmark's items. `contaminated`: a row of the raw training data was the item, or may have been by
    date. Those rows were dropped; scores on `clean` do not lean on our having found all of them."""

    all: list[str]
    clean: list[str]
    contaminated: list[str]

    def ids(self) -> dict[SubsetName, list[str]]:
        return {"all": self.all, "clean": self.clean, "contaminated": self.contaminated}
