"""The pipeline: a straight line of boxes, evaluation groups fanned out, one exit handler around all of it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from kfp import dsl

from hexad.cleanup.component import cleanup as cleanup_box
from hexad.curation.component import curate as curate_box
from hexad.drafter.component import drafter as drafter_box
from hexad.evaluation.component import evaluate as evaluate_box
from hexad.evaluation.merge_component import scores as scores_box
from hexad.gate.component import gate as gate_box
from hexad.pipelines.parameters import with_parameters
from hexad.pipelines.profile import Profile
from hexad.pipelines.task_placement import place as place_task
from hexad.pipelines.task_placement import run_time_values
from hexad.preflight.component import preflight as preflight_box
from hexad.registry.component import register as register_box
from hexad.report.component import report as report_box
from hexad.rlvr.component import rlvr as rlvr_box
from hexad.serving.component import serve as serve_box
from hexad.sft.component import sft as sft_box
from hexad.stage.boxes import BOXES, GROUPS
from hexad.verifier.component import verifier as verifier_box

NAME = "hexad-post-training"
ALWAYS = ("preflight", "gate", "register", "report", "cleanup")
"""Checks of this moment and cheap reads: they run every time, and their trees are still made once."""
DESCRIPTION = "From an open base model to a served reasoning system, measured at every step."


def post_training(
    settings: Mapping[str, str], profile: Profile, parallelism: int = 2, every_run: Collection[str] = ()
) -> Any:
    """The KFP pipeline whose parameters default to `settings` (box name to its settings string).

    Further parameters are what the profile leaves open until a run starts: nodes, and names of secrets and claims.
    Sections in `every_run` never come from KFP's cache.
    """
    boxes = (*BOXES, "cleanup", *(["register"] if profile.model_registry else []))
    defaults = {**{name: settings[name] for name in boxes}, **run_time_values(profile)}

    def pipeline(*values: Any) -> None:
        """Each box's parameter is its settings: JSON with `config` (its section of the recipe) and `context`."""
        given = dict(zip(defaults, values, strict=True))

        def place(stage: str, make: Callable[..., dsl.PipelineTask], **inputs: Any) -> dsl.PipelineTask:
            task = make(settings=given[stage], **inputs)
            role, section = (BOXES[stage].image, BOXES[stage].section) if stage in BOXES else ("base", stage)
            if section in (*ALWAYS, *every_run):
                task.set_caching_options(False)
            return place_task(role, section, task, profile, given)

        last = place("cleanup", cleanup_box)
        with dsl.ExitHandler(last, name="post-training"):
            # Nothing takes preflight as an input: an edited threshold must not recompute a run.
            checked = place("preflight", preflight_box)
            data = place("curate", curate_box).after(checked).outputs["data"]
            tuned = place("sft", sft_box, data=data).outputs["model"]
            policy = place("rlvr", rlvr_box, data=data, model=tuned).outputs["policy"]
            scoring = place("verifier", verifier_box, data=data, policy=policy)
            # The two do not need each other, but one accelerator, or two cores, is no place for both at once.
            drafting = place("drafter", drafter_box, data=data, policy=policy).after(scoring)
            scorer, draft = scoring.outputs["scorer"], drafting.outputs["draft"]
            serving = place("serve", serve_box, data=data, policy=policy, verifier=scorer, draft=draft)
            bundle = serving.outputs["bundle"]
            with dsl.ParallelFor(items=list(GROUPS), parallelism=parallelism, name="cells") as group:
                cell = place("evaluate", evaluate_box, group=group, data=data, sft=tuned, policy=policy, bundle=bundle)
            joined = place("scores", scores_box, data=data, samples=dsl.Collected(cell.outputs["samples"]))
            measured = joined.outputs["tree"]
            gated = place("gate", gate_box, scores=measured, data=data)
            if profile.model_registry:
                decision = gated.outputs["decision"]
                # Whether to register is decided inside: a condition on a named output is false in kfp.local.
                place("register", register_box, bundle=bundle, scores=measured, decision=decision)
            place(
                "report", report_box, data=data, sft=tuned, policy=policy, verifier=scorer, draft=draft, bundle=bundle,
                scores=measured,
            ).after(gated)  # fmt: skip

    return dsl.pipeline(name=NAME, description=DESCRIPTION)(with_parameters(pipeline, defaults))
