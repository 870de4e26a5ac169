"""The one base class of every record that crosses a border."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen, closed to unknown fields: a typo in a row is an error, never a silently dropped column."""

    model_config = ConfigDict(frozen=True, extra="forbid")
