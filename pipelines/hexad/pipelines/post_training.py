"""The pipeline: a straight line of boxes, evaluation groups fanned out, one exit handler around all of it."""

from collections.abc import Mapping
from typing import Any

from kfp import dsl, kubernetes

from hexad.cleanup.component import cleanup as cleanup_box
from hexad.curation.component import curate as curate_box
from hexad.deployment.site import STORE_SECRET_KEYS
from hexad.drafter.component import drafter as drafter_box
from hexad.evaluation.component import evaluate as evaluate_box
from hexad.evaluation.merge_component import scores as scores_box
from hexad.gate.component import gate as gate_box
from hexad.pipelines.profile import Profile
from hexad.preflight.component import preflight as preflight_box
from hexad.report.component import report as report_box
from hexad.rlvr.component import rlvr as rlvr_box
from hexad.serving.component import serve as serve_box
from hexad.sft.component import sft as sft_box
from hexad.stage.boxes import BOXES, GROUPS, Role
from hexad.verifier.component import verifier as verifier_box

NAME = "hexad-post-training"
DESCRIPTION = "From an open base model to a served reasoning system, measured at every step."


def post_training(settings: Mapping[str, str], profile: Profile, parallelism: int = 2) -> Any:
    """The KFP pipeline whose parameters default to `settings` (box name to its settings string)."""

    def place(stage: str, task: dsl.PipelineTask) -> dsl.PipelineTask:
        return _place(BOXES[stage].image if stage in BOXES else "base", task, profile)

    @dsl.pipeline(name=NAME, description=DESCRIPTION)
    def pipeline(
        preflight: str = settings["preflight"],
        curate: str = settings["curate"],
        sft: str = settings["sft"],
        rlvr: str = settings["rlvr"],
        verifier: str = settings["verifier"],
        drafter: str = settings["drafter"],
        serve: str = settings["serve"],
        evaluate: str = settings["evaluate"],
        scores: str = settings["scores"],
        gate: str = settings["gate"],
        report: str = settings["report"],
        cleanup: str = settings["cleanup"],
    ) -> None:
        """Each parameter is one box's settings: JSON with `config` (its section of the recipe) and `context`."""
        last = place("cleanup", cleanup_box(settings=cleanup)).set_caching_options(False)
        with dsl.ExitHandler(last, name="post-training"):
            # Checks of this moment (preflight) and cheap reads (gate, report) run every time; their trees are still
            # made once. Nothing takes preflight as an input: an edited threshold must not recompute a run.
            checked = place("preflight", preflight_box(settings=preflight)).set_caching_options(False)
            data = place("curate", curate_box(settings=curate).after(checked)).outputs["data"]
            tuned = place("sft", sft_box(settings=sft, data=data)).outputs["model"]
            policy = place("rlvr", rlvr_box(settings=rlvr, data=data, model=tuned)).outputs["policy"]
            scoring = place("verifier", verifier_box(settings=verifier, data=data, policy=policy))
            # The two do not need each other, but one accelerator, or two cores, is no place for both at once.
            drafting = place("drafter", drafter_box(settings=drafter, data=data, policy=policy).after(scoring))
            scorer, draft = scoring.outputs["scorer"], drafting.outputs["draft"]
            bundle = place(
                "serve", serve_box(settings=serve, data=data, policy=policy, verifier=scorer, draft=draft)
            ).outputs["bundle"]
            with dsl.ParallelFor(items=list(GROUPS), parallelism=parallelism, name="cells") as group:
                cell = place(
                    "evaluate",
                    evaluate_box(settings=evaluate, group=group, data=data, sft=tuned, policy=policy, bundle=bundle),
                )
            joined = place(
                "scores", scores_box(settings=scores, data=data, samples=dsl.Collected(cell.outputs["samples"]))
            )
            measured = joined.outputs["tree"]
            gated = place("gate", gate_box(settings=gate, scores=measured, data=data)).set_caching_options(False)
            told = report_box(
                settings=report, data=data, sft=tuned, policy=policy, verifier=scorer, draft=draft, bundle=bundle,
                scores=measured,
            )  # fmt: skip
            place("report", told.after(gated)).set_caching_options(False)

    return pipeline


def _place(role: Role, task: dsl.PipelineTask, profile: Profile) -> dsl.PipelineTask:
    """Apply what a profile says of an image role. kfp-kubernetes knows no run-time form of most of these."""
    task.set_container_image(profile.images[role])
    for name, value in sorted(profile.environment.items()):
        task.set_env_variable(name, value)
    if profile.store_secret:
        kubernetes.use_secret_as_env(task, profile.store_secret, STORE_SECRET_KEYS, optional=True)
    wanted = profile.placement.get(role)
    if wanted is None:
        return task
    if wanted.cpu:
        task.set_cpu_limit(wanted.cpu)
    if wanted.memory:
        task.set_memory_limit(wanted.memory)
    if wanted.accelerator:
        task.set_accelerator_type(wanted.accelerator).set_accelerator_limit(wanted.accelerators)
    for label, value in sorted(wanted.node_selector.items()):
        kubernetes.add_node_selector(task, label, value)
    for taint in wanted.tolerations:
        wished = taint.value if taint.operator == "Equal" else None
        kubernetes.add_toleration(task, key=taint.key, operator=taint.operator, value=wished, effect=taint.effect)
    if wanted.shm:
        kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=wanted.shm)
    return task
