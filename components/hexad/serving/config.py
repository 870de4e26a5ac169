"""Settings of the serve stage: the bundle, its engine and its proof of losslessness."""

from typing import Literal

from pydantic import Field

from hexad.deployment.settings import EngineConfig, GatewayPolicy
from hexad.records import Record


class SpeculationConfig(Record):
    """Speculative decoding."""

    method: Literal["draft_model", "ngram", "none"] = Field("draft_model", description="What proposes tokens.")
    num_speculative_tokens: int = Field(3, ge=1, le=16, description="Tokens proposed a step.")


class LosslessConfig(Record):
    """The paired test that speculation must pass before it is served, at temperature 0 and 1."""

    prompts: int = Field(200, ge=8, description="Validation prompts.")
    samples: int = Field(4, ge=1, description="Samples per prompt at temperature 1.")
    tolerance: float = Field(0.05, gt=0, description="Largest loss in mean score that may stand in doubt, 0..1.")
    max_tokens: int = Field(128, gt=0, description="Tokens of a response at most.")


class ServeConfig(Record):
    """What a run leaves behind for its clients."""

    name: str = Field("hexad", pattern=r"^[a-z0-9][a-z0-9.-]*$", description="Model name that clients ask for.")
    engine: EngineConfig = EngineConfig()
    speculation: SpeculationConfig = SpeculationConfig()
    lossless: LosslessConfig = LosslessConfig()
    gateway: GatewayPolicy = GatewayPolicy()
