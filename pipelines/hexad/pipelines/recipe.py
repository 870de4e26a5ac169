"""A recipe says WHAT a run does: one section per stage, checked by itself and across stages."""

from collections.abc import Iterator, Mapping
from glob import iglob
from pathlib import Path
from typing import Any

from pydantic import Field

from hexad.curation.config import CurateConfig
from hexad.curation.stored import is_stored
from hexad.drafter.config import DrafterConfig
from hexad.evaluation.config import EvaluateConfig
from hexad.gate.config import GateConfig
from hexad.pipelines.yaml_file import Keys, Problem, load
from hexad.planning.config import PlanConfig
from hexad.preflight.config import PreflightConfig
from hexad.records import DOMAINS, Record
from hexad.report.config import ReportConfig
from hexad.rlvr.config import RlvrConfig
from hexad.serving.config import ServeConfig
from hexad.sft.config import SftConfig
from hexad.stage.boxes import SECTIONS
from hexad.verifier.config import VerifierConfig


class Recipe(Record):
    """Everything that decides a run's results."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", description="Name of the run's trees, e.g. 'quickstart'.")
    description: str = Field("", description="One line for people.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seeds data, training and sampling.")
    expected_seconds: dict[str, float] = Field(
        default_factory=dict, description="Stage to seconds on the machine it was written for; feeds the time left."
    )
    preflight: PreflightConfig = PreflightConfig()
    curate: CurateConfig
    sft: SftConfig = SftConfig()
    rlvr: RlvrConfig = RlvrConfig()
    verifier: VerifierConfig = VerifierConfig()
    drafter: DrafterConfig = DrafterConfig()
    serve: ServeConfig = ServeConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    gate: GateConfig = GateConfig()
    report: ReportConfig = ReportConfig()
    plan: PlanConfig = Field(PlanConfig(), description="What `hexad plan` cannot know; no stage reads it.")


def load_recipe(file: Path) -> Recipe:
    """Read a recipe. Raises `InvalidFile` with every error, its line and its mend."""
    return load(file, Recipe, cross_checks)


def cross_checks(sections: Mapping[str, Any]) -> Iterator[Problem]:
    """What no section can see alone. Looks only at sections that are valid by themselves."""
    for stage in sections.get("expected_seconds", {}):
        if stage not in SECTIONS:
            yield Problem(("expected_seconds", stage), f"is no stage; stages are {', '.join(SECTIONS)}")
    gate, sft = sections.get("gate"), sections.get("sft")
    if isinstance(gate, GateConfig) and gate.benchmark not in ("all", "macro", *DOMAINS):
        known = ", ".join(("all", "macro", *DOMAINS))
        yield Problem(("gate", "benchmark"), f"is {gate.benchmark!r}; choose one of {known}")
    if isinstance(sft, SftConfig) and sft.batch_rows % sft.gradient_accumulation:
        mend = f"make it divide batch_rows {sft.batch_rows}"
        yield Problem(("sft", "gradient_accumulation"), f"is {sft.gradient_accumulation}; {mend}")
    yield from _files(sections.get("curate"))
    yield from _benchmarks(sections.get("curate"), sections.get("evaluate"))
    yield from _amounts(sections.get("curate"), sections.get("rlvr"), sections.get("serve"))
    yield from _lengths(sections.get("serve"), sections.get("rlvr"), sections.get("evaluate"))
    yield from _speculation(sections.get("serve"), sections.get("drafter"), sections.get("evaluate"))


def _files(curate: CurateConfig | None) -> Iterator[Problem]:
    if curate is None:
        return
    base = curate.base
    local = base.path if base.kind == "path" and base.path and not is_stored(base.path) else None
    if local and not (Path(local) / "config.json").is_file():
        mend = "give a folder with a transformers model, relative to where you start hexad"
        yield Problem(("curate", "base", "path"), f"is {base.path!r}, where there is no config.json; {mend}")
    named: dict[Keys, str] = {("curate", "sources", n, "path"): one.path for n, one in enumerate(curate.sources)}
    for index, benchmark in enumerate(curate.corpus.benchmarks):
        named["curate", "corpus", "benchmarks", index, "source", "path"] = benchmark.source.path
    for place, path in named.items():
        if not is_stored(path) and not any(Path(found).is_file() for found in iglob(path, recursive=True)):
            mend = "give a file or a glob of files, relative to where you start hexad"
            yield Problem(place, f"is {path!r}, which no file matches; {mend}")


def _benchmarks(curate: CurateConfig | None, evaluate: EvaluateConfig | None) -> Iterator[Problem]:
    if curate is None or evaluate is None:
        return
    known = [one.name for one in curate.corpus.benchmarks]
    for index, name in enumerate(evaluate.benchmarks or ()):
        if name not in known:
            mend = f"choose from {', '.join(known)}" if known else "add it to curate.corpus.benchmarks"
            yield Problem(("evaluate", "benchmarks", index), f"is {name!r}, which curate does not read; {mend}")


def _amounts(curate: CurateConfig | None, rlvr: RlvrConfig | None, serve: ServeConfig | None) -> Iterator[Problem]:
    if curate is None:
        return
    made = curate.generated
    prompts = made.prompts + sum(made.reasoning_gym.values())
    if rlvr and rlvr.enabled and not curate.sources and rlvr.prompts_per_step > prompts:
        mend = f"lower it, or raise curate.generated.prompts from {made.prompts}"
        what = f"is {rlvr.prompts_per_step}, more than the {prompts} prompts that there are"
        yield Problem(("rlvr", "prompts_per_step"), f"{what}; {mend}")
    if serve and serve.speculation.method != "none" and serve.lossless.prompts > made.validation:
        mend = f"lower it, or raise curate.generated.validation from {made.validation}"
        yield Problem(
            ("serve", "lossless", "prompts"), f"is {serve.lossless.prompts}, more than there are questions; {mend}"
        )


def _lengths(serve: ServeConfig | None, rlvr: RlvrConfig | None, evaluate: EvaluateConfig | None) -> Iterator[Problem]:
    if serve is None:
        return
    limit = serve.engine.max_model_len
    wanted: dict[tuple[str, ...], int] = {("serve", "lossless", "max_tokens"): serve.lossless.max_tokens}
    if rlvr and rlvr.enabled:
        wanted["rlvr", "max_completion_tokens"] = rlvr.max_completion_tokens
    if evaluate:
        wanted["evaluate", "max_tokens"] = evaluate.max_tokens
    for path, tokens in wanted.items():
        if tokens >= limit:
            mend = f"lower it below serve.engine.max_model_len {limit}, or raise that"
            yield Problem(path, f"is {tokens}, which leaves no room for the question; {mend}")


def _speculation(
    serve: ServeConfig | None, drafter: DrafterConfig | None, evaluate: EvaluateConfig | None
) -> Iterator[Problem]:
    if serve is None:
        return
    method = serve.speculation.method
    if method == "draft_model" and drafter and not drafter.enabled:
        mend = "set it to true, or serve.speculation.method to ngram"
        yield Problem(("drafter", "enabled"), f"is false, but serve.speculation.method is 'draft_model'; {mend}")
    speculative = [cell for cell in evaluate.cells if cell.endswith("+spec")] if evaluate else []
    if method == "none" and speculative:
        mend = "choose another, or leave them out"
        yield Problem(
            ("serve", "speculation", "method"), f"is 'none', but evaluate.cells has {', '.join(speculative)}; {mend}"
        )
