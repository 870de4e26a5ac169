"""What a task makes."""

from hexad.records import Domain, Gold, Record


class Worked(Record):
    """A question with its worked solution. `plan` says how to go about it and never holds the answer."""

    task: str
    domain: Domain
    source: str
    revision: str
    question: str
    plan: str
    thinking: str
    answer: str
    gold: Gold
