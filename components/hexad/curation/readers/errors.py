"""What can be wrong with a source: with one row, or with the whole of it."""


class RowError(ValueError):
    """This row cannot be read. `reason` is one of few fixed phrases, to be counted; `detail` tells of this row."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail[:300]


class SourceError(ValueError):
    """No row can be read from here on: no such file, unknown format, or a damaged Parquet file."""
