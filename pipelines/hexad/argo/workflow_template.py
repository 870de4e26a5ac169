"""A compiled pipeline as an Argo WorkflowTemplate: each stage is `hexad job`, and trees pass as URIs of the store.

The settings of a stage are what Kubeflow gives it, so its tree lies at the same place and is found there, whichever of
the two made it. Nothing but URIs and figures passes through Argo, so that no artifact repository is needed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from hexad.argo.flow import Flow, Step, flow
from hexad.argo.pod import SCRATCH, Object, container, identity, pod_settings
from hexad.pipelines.profile import Profile
from hexad.pipelines.result_folder import METRICS, TREE
from hexad.stage.boxes import BOXES, Role

ENTRY = "post-training"
SERVICE_ACCOUNT = "hexad-workflow"
"""Account of the pods, whose token only Argo's own container gets: see manifests/argo."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,55}[a-z0-9])?")
"""A label holds 63 characters, and workflows are named by the template, a dash and five more."""
_RESULT = f"{SCRATCH}/hexad-result"


def workflow_template(
    name: str, description: str, ir: Mapping[str, Any], settings: Mapping[str, str], profile: Profile
) -> Object:
    """The WorkflowTemplate of a pipeline. `ir`: as compiled for Kubeflow; `settings`: those of `box_settings`.

    Raises ValueError for a name that no label can hold, as Argo needs it, and for settings that Argo would change: its
    tags begin with two braces.
    """
    if not _NAME.fullmatch(name):
        wants = "at most 57 small letters, digits, dots and dashes"
        raise ValueError(f"{name}: is no name for a WorkflowTemplate; give recipe and profile names that make {wants}")
    found = flow(ir)
    stages = [*(step.stage for step in found.steps), found.last]
    for stage in stages:
        if "{{" in settings[stage]:
            raise ValueError(
                f"{stage}: a value in its section holds '{{{{', where Argo would look for a tag; reword it"
            )
    spec: Object = {
        "entrypoint": ENTRY,
        "onExit": found.last,
        "arguments": {"parameters": [{"name": stage, "value": settings[stage]} for stage in stages]},
        "serviceAccountName": SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "executor": {"serviceAccountName": SERVICE_ACCOUNT},
        "securityContext": identity(profile),
    }
    about = {"labels": profile.tasks.labels, "annotations": profile.tasks.annotations}
    if any(about.values()):
        spec["podMetadata"] = {key: dict(sorted(value.items())) for key, value in about.items() if value}
    if profile.tasks.pull_secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in profile.tasks.pull_secrets]
    spec["templates"] = [_dag(found), *_stages(found, profile), _last(found.last, profile)]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "hexad"},
            "annotations": {"workflows.argoproj.io/description": description},
        },
        "spec": spec,
    }


def text_of(template: Object) -> str:
    """YAML; the same template gives the same bytes."""
    # Copied as text, so that what several stages share is written out; unfolded, so that edits move no other lines.
    return yaml.safe_dump(json.loads(json.dumps(template)), sort_keys=False, width=float("inf"))


def _dag(found: Flow) -> Object:
    made: Object = {"name": ENTRY}
    if limits := [step.parallelism for step in found.steps if step.parallelism]:
        made["parallelism"] = min(limits)
    made["dag"] = {"tasks": [_task(step) for step in found.steps]}
    return made


def _task(step: Step) -> Object:
    made: Object = {"name": step.stage, "template": step.stage}
    if step.after:
        made["dependencies"] = list(step.after)
    given = [{"name": name, "value": _tree_of(source)} for name, source in step.inputs.items()]
    if step.items:
        made["withItems"] = list(step.items)
        given.append({"name": "group", "value": "{{item}}"})
    if given:
        made["arguments"] = {"parameters": given}
    return made


def _tree_of(stage: str) -> str:
    """URI of the tree that a stage made; of one that runs for several items, a JSON list in their order."""
    return f"{{{{tasks.{stage}.outputs.parameters.{TREE}}}}}"


def _stages(found: Flow, profile: Profile) -> Iterator[Object]:
    loops = {step.stage: step.items for step in found.steps if step.items}
    for step in found.steps:
        box = BOXES[step.stage]
        arguments = _job(step.stage)
        for name, source in step.inputs.items():
            # The trees of a loop are inputs of their own, named by its items.
            names = ",".join(loops[source]) if source in loops else name
            arguments += ["--in", f"{names}={{{{inputs.parameters.{name}}}}}"]
        if step.items:
            arguments += ["--group", "{{inputs.parameters.group}}"]
        made = {"name": step.stage, **pod_settings(box.image, box.section, profile)}
        if wanted := [*step.inputs, *(["group"] if step.items else [])]:
            made["inputs"] = {"parameters": [{"name": name} for name in wanted]}
        if step.stage != "preflight":
            arguments += ["--result", _RESULT]
            made["outputs"] = {
                "parameters": [{"name": file, "valueFrom": {"path": f"{_RESULT}/{file}"}} for file in (TREE, METRICS)]
            }
        made["container"] = container(box.image, profile, arguments)
        yield made


def _last(stage: str, profile: Profile) -> Object:
    role: Role = "base"
    arguments = [*_job(stage), "--state", "{{workflow.status}}", "--failures", "{{workflow.failures}}"]
    return {
        "name": stage,
        **pod_settings(role, stage, profile),
        "container": container(role, profile, arguments),
    }


def _job(stage: str) -> list[str]:
    return ["job", stage, "--settings", f"{{{{workflow.parameters.{stage}}}}}"]
