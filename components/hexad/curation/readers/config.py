"""Settings of one source of real data."""

from datetime import date
from typing import Literal

from pydantic import Field

from hexad.records import Domain, Record


class SourceConfig(Record):
    """Files of one dataset, all in one schema."""

    id: str = Field(min_length=1, description="Dataset id, e.g. a-m-team/AM-Thinking-v1-Distilled; kept in every row.")
    revision: str = Field(min_length=1, description="Revision (commit) of the dataset that the files are.")
    path: str = Field(
        min_length=1,
        description="File or glob (** for any depth) of .jsonl or .parquet files, relative to where the run starts; "
        "files are read in the order of their names. Or s3://bucket/GLOB, read there by ranges; or the store URI of "
        "a tree (`hexad put`), with a glob after '#'; or hf://datasets/ORG/NAME/GLOB with a commit as `revision`.",
    )
    kind: Literal["am_thinking", "guru", "chat", "questions"] = Field(
        description="Schema of the rows. am_thinking: long traces as `conversations` of from/value; guru: verifiable "
        "prompts with `reward_model.ground_truth`; chat: traces as `messages` of role/content or ShareGPT's "
        "`conversations` of from/value; questions: a benchmark's question, answer, id and date by their usual names."
    )
    domain: Domain | None = Field(
        None,
        description="Domain of every row. None: from the file's name (am_thinking), the row's data_source (guru) or "
        "the row's `domain` (chat). Guru rows always keep their own.",
    )
    limit: int | None = Field(None, ge=1, description="Rows read at most, rejected ones included; None: all.")
    newest: date | None = Field(
        None,
        description="Date of the newest question in the source. Benchmark items of that day or before are not clean: "
        "the rule for LiveCodeBench, whose items have dates.",
    )
    licence: str = Field("unknown", description="SPDX id or name of the dataset's licence, for the dataset card.")
