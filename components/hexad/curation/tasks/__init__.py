"""Generated questions with worked solutions: one task, one file.

A task is a function `make(rng) -> Worked`; those in HARDER also make longer questions. Every worked solution is right
by construction, short, and written so that each step follows from the line before it: what a model of a million
parameters can learn.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from hexad.curation.tasks.column_sum import make as column_sum
from hexad.curation.tasks.function_body import make as function_body
from hexad.curation.tasks.leg_counting import make as leg_counting
from hexad.curation.tasks.loop_trace import make as loop_trace
from hexad.curation.tasks.ordering import make as ordering
from hexad.curation.tasks.sales_table import make as sales_table
from hexad.curation.tasks.travel import make as travel
from hexad.curation.tasks.worked import Worked

TASKS: dict[str, Callable[[Random], Worked]] = {
    "column_sum": column_sum,
    "function_body": function_body,
    "leg_counting": leg_counting,
    "travel": travel,
    "ordering": ordering,
    "loop_trace": loop_trace,
    "sales_table": sales_table,
}

HARDER: dict[str, Callable[[Random], Worked]] = {
    "ordering": partial(ordering, hard=True),
    "loop_trace": partial(loop_trace, hard=True),
}

__all__ = ["HARDER", "TASKS", "Worked"]
