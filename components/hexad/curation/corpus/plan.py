"""What the tasks of the corpus pipeline share: the parts, whose shard each is, and what decides the result."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from hexad.curation.config import CurateConfig
from hexad.curation.corpus.layout import PLAN
from hexad.curation.corpus.parts import Part
from hexad.records import Prompt, Record


class CorpusPlan(Record):
    """`plan.json`. `made_of`: by dotted name, all that the bytes of the corpus depend on besides the files."""

    made_of: dict[str, JsonValue]
    parts: tuple[Part, ...]

    def dealt(self, shard: int, shards: int) -> tuple[Part, ...]:
        """Parts of one of the shards: neighbours, so that few shards read the same file."""
        count = len(self.parts)
        return self.parts[count * shard // shards : count * (shard + 1) // shards]


def made_of(config: CurateConfig, seed: int, benchmarks: Mapping[str, Sequence[Prompt]]) -> dict[str, JsonValue]:
    """`benchmarks`: the items that rows are held against."""
    values = reading(config).model_dump(mode="json")
    for later in ("pack_tokens", "pass_rate"):  # steps of curate, after the corpus
        del values[later]
    corpus = values.pop("corpus")
    del corpus["shards"]
    items = {name: [item.model_dump(mode="json") for item in found] for name, found in benchmarks.items()}
    digest = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()
    return {"seed": seed, "items of the benchmarks": digest, **values,
            **{f"corpus.{name}": value for name, value in corpus.items()}}  # fmt: skip


def reading(config: CurateConfig) -> CurateConfig:
    """The settings of whoever reads the sources, whether or not a corpus was made of them before."""
    return config.model_copy(update={"corpus": config.corpus.model_copy(update={"tree": ""})})


def write_plan(folder: Path, plan: CorpusPlan) -> None:
    (folder / PLAN).write_text(plan.model_dump_json(indent=1))


def read_plan(folder: Path) -> CorpusPlan:
    return CorpusPlan.model_validate_json((folder / PLAN).read_bytes())
