"""The boxes of the pipeline, in the order in which they run.

Components, the command line, the recipe and the generated READMEs all read this one table.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from hexad.records import Record

Role = Literal["base", "data", "train", "serve", "gateway", "eval"]
"""Roles of container images. `gateway` runs no box: it is what an endpoint puts in front of its engine."""

# The longest first: where two run at a time, the others fit beside it.
GROUPS = ("served", "base", "sft", "speculative")
"""Evaluation groups: each is one task of the fan-out and covers the cells that share an engine."""


@dataclass(frozen=True)
class Box:
    """One box: the package `hexad.<package>` that holds it, and what flows in."""

    package: str
    section: str
    """Key of its settings in the recipe."""
    config: str
    """Class in `hexad.<package>.config`."""
    image: Role
    """Role of the container image it runs in."""
    inputs: tuple[str, ...] = ()
    job: str = "job"
    component: str = "component"
    """Module of the package that holds its KFP interface, under the box's name."""

    def load_job(self) -> ModuleType:
        return importlib.import_module(f"hexad.{self.package}.{self.job}")

    def config_type(self) -> type[Record]:
        found: type[Record] = getattr(importlib.import_module(f"hexad.{self.package}.config"), self.config)
        return found


BOXES: dict[str, Box] = {
    "preflight": Box("preflight", "preflight", "PreflightConfig", "base"),
    "curate": Box("curation", "curate", "CurateConfig", "data"),
    "sft": Box("sft", "sft", "SftConfig", "train", ("data",)),
    "rlvr": Box("rlvr", "rlvr", "RlvrConfig", "train", ("data", "model")),
    "verifier": Box("verifier", "verifier", "VerifierConfig", "train", ("data", "policy")),
    "drafter": Box("drafter", "drafter", "DrafterConfig", "train", ("data", "policy")),
    "serve": Box("serving", "serve", "ServeConfig", "serve", ("data", "policy", "verifier", "draft")),
    "evaluate": Box("evaluation", "evaluate", "EvaluateConfig", "serve", ("data", "sft", "policy", "bundle")),
    "scores": Box(
        "evaluation",
        "evaluate",
        "EvaluateConfig",
        "eval",
        ("data", *GROUPS),
        job="merge_job",
        component="merge_component",
    ),
    "gate": Box("gate", "gate", "GateConfig", "base", ("scores", "data")),
    "report": Box(
        "report", "report", "ReportConfig", "eval", ("data", "sft", "policy", "verifier", "draft", "bundle", "scores")
    ),
}


def _of_corpus(job: str, *inputs: str) -> Box:
    return Box("curation", "curate", "CurateConfig", "data", inputs, f"corpus.{job}", "corpus.components")


CORPUS_BOXES: dict[str, Box] = {
    "corpus_parts": _of_corpus("parts_job"),
    "corpus_clean": _of_corpus("clean_job", "parts"),
    "corpus_duplicates": _of_corpus("duplicates_job", "parts", "clean-<shard>"),
    "corpus_finish": _of_corpus("finish_job", "parts", "duplicates"),
    "corpus": _of_corpus("merge_job", "parts", "duplicates", "finish-<shard>"),
}
"""The boxes of the corpus pipeline. Two of them are fanned out over shards of the sources."""

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(box.section for box in BOXES.values()))
"""The recipe's stage sections, in order; `scores` shares the section of `evaluate`."""


def from_section(first: str) -> tuple[str, ...]:
    """`first` and every section that runs after it."""
    return SECTIONS[SECTIONS.index(first) :]
