"""What a stage runs on: cards from `hardware.jsonl`, how many of them the profile gives."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import Field

from hexad.deployment.placement import Placement
from hexad.deployment.quantity import quantity
from hexad.planning.config import Assumptions
from hexad.records import Record

GB = 1e9


class Card(Record):
    """One row of `hardware.jsonl`."""

    name: str
    memory_gb: float = Field(description="GB (10^9 bytes) as sold; 0: the host's.")
    bandwidth_gb_s: float = Field(description="Peak of its memory, GB/s.")
    bfloat16_tflops: float = Field(description="Peak without sparsity, 10^12 FLOP/s; of one core for CPU.")
    float32_tflops: float = Field(description="The same for float32 without TF32.")
    labels: tuple[str, ...] = Field(description="Values of node labels that mean this card, in small letters.")
    source: str

    def flops(self, dtype: str) -> float:
        """Peak FLOP/s."""
        return (self.float32_tflops if dtype == "float32" else self.bfloat16_tflops) * 1e12


class UnknownCard(ValueError):
    """No such card. The message names the known ones."""


@dataclass(frozen=True)
class Devices:
    """What one task has. On CPU one device with all of the task's cores."""

    card: Card
    count: int
    cores: float
    memory: float
    """Of one device, bytes."""
    host_memory: float
    """Bytes."""

    @property
    def on_cpu(self) -> bool:
        return self.card.name == "CPU"

    @property
    def label(self) -> str:
        return f"{self.cores:g} cores" if self.on_cpu else f"{self.count} x {self.card.name}"

    def flops(self, dtype: str, count: int = 1) -> float:
        """Peak FLOP/s of `count` devices."""
        return self.card.flops(dtype) * (self.cores if self.on_cpu else count)

    def bandwidth(self, count: int = 1) -> float:
        """Peak bytes/s of `count` devices' memory."""
        return self.card.bandwidth_gb_s * GB * (self.cores if self.on_cpu else count)


@cache
def cards() -> dict[str, Card]:
    """Name to card."""
    rows = (files("hexad.planning") / "hardware.jsonl").read_text().splitlines()
    found = [Card.model_validate(json.loads(row)) for row in rows]
    return {card.name: card for card in found}


def devices(placement: Placement | None, assumptions: Assumptions) -> Devices:
    """What a task with this placement runs on. Raises UnknownCard."""
    placement = placement or Placement()
    cores = float(quantity(placement.cpu)) if placement.cpu else assumptions.cores
    host = float(quantity(placement.memory)) if placement.memory else assumptions.memory_gib * 2**30
    if not placement.accelerator:
        return Devices(cards()["CPU"], 1, cores, host, host)
    labels = {value.lower() for value in placement.node_selector.values()}
    named = next((card.name for card in cards().values() if labels & set(card.labels)), assumptions.unnamed_gpu)
    card = _card(assumptions.gpu or named)
    return Devices(card, placement.accelerators, cores, card.memory_gb * GB, host)


def _card(name: str) -> Card:
    known = [card for card in cards() if card != "CPU"]
    if name not in known:
        raise UnknownCard(f"assumptions.gpu or unnamed_gpu is {name!r}; known cards are {', '.join(known)}")
    return cards()[name]
