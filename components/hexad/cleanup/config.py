"""Settings of cleanup."""

from pydantic import Field

from hexad.records import Record


class CleanupConfig(Record):
    """What a run that succeeded removes."""

    idle_days: float = Field(
        0,
        ge=0,
        description="Scratch in which something changed within so many days stays: on a cluster other runs of the "
        "recipe share the folder and may be at work in it, or wait for their next try. 0: all goes.",
    )
