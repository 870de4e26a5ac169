"""Settings of how rows of real data are filtered, deduplicated and held against benchmarks."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hexad.curation.readers.config import SourceConfig
from hexad.records import Domain, Record


class PassRateRule(Record):
    """Drop prompts that a model solves too rarely or too often; prompts without its pass rate stay."""

    model: str = Field(description="Model as the rows name it: `qwen2.5_7b` for the column qwen2.5_7b_pass_rate.")
    above: float = Field(0.0, ge=0, le=1, description="Keep pass rates greater than this; 0 drops the never solved.")
    below: float = Field(1.0, ge=0, le=1, description="Keep pass rates less than this; 1 drops the always solved.")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.above >= self.below:
            raise ValueError(f"above is {self.above} and below is {self.below}; nothing lies between, swap them")
        return self


class FilterConfig(Record):
    """Which traces and prompts of the sources are good enough."""

    scripts: tuple[Literal["latin", "cjk", "cyrillic", "arabic", "other"], ...] = Field(
        (), description="Writing systems kept, by most of the letters of a question; empty: all."
    )
    max_repetition: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of a response's word 5-grams that are copies of an earlier one, at most; loops have more.",
    )
    min_question_words: int = Field(1, ge=1, description="Words of a question at least.")
    max_response_characters: int = Field(
        1_000_000, ge=1, description="Characters of a response at most; max_tokens bounds it in tokens."
    )
    references: bool = Field(
        True, description="Drop traces whose answer is not the reference answer that their row carries."
    )
    pass_rates: tuple[PassRateRule, ...] = Field((), description="Rules on measured difficulty, all to be met.")


class DedupeConfig(Record):
    """Near duplicates among the rows of all sources."""

    jaccard: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Jaccard similarity of the word 5-grams from which two questions with the same numbers, or two "
        "long responses, are duplicates; 1: only equal sets are.",
    )
    responses: bool = Field(True, description="Whether traces of different questions with near-equal responses go.")


class BenchmarkConfig(Record):
    """A benchmark whose questions must not be trained on."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="Name of the benchmark, e.g. aime24.")
    source: SourceConfig = Field(description="Where its items are; `kind: questions` reads most published files.")


class CorpusConfig(Record):
    """What is done with the rows of `sources`."""

    filters: FilterConfig = FilterConfig()
    dedupe: DedupeConfig = DedupeConfig()
    benchmarks: tuple[BenchmarkConfig, ...] = Field(
        (), description="Benchmarks held against every training row, besides the recipe's own held-out questions."
    )
    trace_caps: dict[Domain, int] = Field(
        default_factory=dict, description="Traces of a domain at most; a seeded choice stays. Others have no cap."
    )
    prompt_caps: dict[Domain, int] = Field(default_factory=dict, description="Prompts of a domain at most, likewise.")
    tree: str = Field(
        "",
        description="Store URI of what the corpus pipeline made of this recipe's sources (`hexad run RECIPE "
        "--pipeline corpus`); empty: curate reads the sources itself.",
    )
    part_mib: int = Field(64, ge=1, description="Work is done in parts of a source of this many MiB.")
    shards: int = Field(
        1,
        ge=1,
        description="Processes, or tasks of the corpus pipeline, among which the parts are dealt. "
        "The result is the same.",
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [benchmark.name for benchmark in self.benchmarks]
        if twice := {name for name in names if names.count(name) > 1} | ({"held-out"} & set(names)):
            raise ValueError(f"benchmarks: the name {min(twice)!r} is used twice; give each its own")
        return self
