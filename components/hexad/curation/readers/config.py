"""Settings of one source of real data."""

from typing import Literal

from pydantic import Field

from hexad.records import Domain, Record


class SourceConfig(Record):
    """Files of one dataset, all in one schema."""

    id: str = Field(min_length=1, description="Dataset id, e.g. a-m-team/AM-Thinking-v1-Distilled; kept in every row.")
    revision: str = Field(min_length=1, description="Revision (commit) of the dataset that the files are.")
    path: str = Field(
        min_length=1,
        description="File or glob (** for any depth) of .jsonl or .parquet files, relative to where the run starts. "
        "Files are read in the order of their names. Or the store URI of a tree (`hexad put`), with a glob after '#'.",
    )
    kind: Literal["am_thinking", "guru", "chat"] = Field(
        description="Schema of the rows. am_thinking: long traces as `conversations` of from/value; guru: verifiable "
        "prompts with `reward_model.ground_truth`; chat: traces as `messages` of role/content."
    )
    domain: Domain | None = Field(
        None,
        description="Domain of every row. None: from the file's name (am_thinking), the row's data_source (guru) or "
        "the row's `domain` (chat). Guru rows always keep their own.",
    )
    limit: int | None = Field(None, ge=1, description="Rows read at most, rejected ones included; None: all.")
    licence: str = Field("unknown", description="SPDX id or name of the dataset's licence, for the dataset card.")
