"""What a compiled pipeline must not hold: constructs that pass here and fail, or silently lie, on a cluster.

Reads only the compiled documents, so it also covers components that came from elsewhere. Where the rules come from:
conditions and dict parameters misbehave in kfp.local and in protobuf's Struct; Kubeflow's cache cannot see a tag move;
pods without resources, limits of time or a user are refused, evicted or run for ever on a shared cluster.
"""

import re
from collections.abc import Iterator

from hexad.pipelines.lint_rules import Document, Finding, container, secrets

_CONDITION = re.compile(r"parameter_values\['pipelinechannel--([^']+)'\]")


def lint(pipeline: Document, platform: Document | None = None, *, cluster: bool, mutable_images: bool) -> list[Finding]:
    """Findings in a pipeline's IR and its platform document.

    `cluster`: every task must have what a shared cluster asks for. `mutable_images`: tags that can move are accepted.
    """
    findings: list[Finding] = []
    for name, executor in pipeline["deploymentSpec"]["executors"].items():
        findings += container(name, executor.get("container", {}), mutable_images)
    for name, dag in _dags(pipeline):
        findings += _dag(name, dag)
    for name, component in pipeline["components"].items():
        if "dag" not in component:
            findings += _parameters(name, component)
    if cluster:
        findings += _limits(pipeline, platform or {})
    findings += secrets("pipeline", pipeline)
    findings += secrets("platform", platform or {})
    return findings


def _dags(pipeline: Document) -> Iterator[tuple[str, Document]]:
    yield "root", pipeline["root"]["dag"]
    for name, component in pipeline["components"].items():
        if "dag" in component:
            yield name, component["dag"]


def _dag(name: str, dag: Document) -> Iterator[Finding]:
    for output, selector in dag.get("outputs", {}).get("artifacts", {}).items():
        if len(selector.get("artifactSelectors", [])) > 1:
            yield Finding(
                name, f"OneOf over artifacts ({output})", "pass the input through inside the component instead"
            )
    for task_name, task in dag["tasks"].items():
        where = f"{name}/{task_name}"
        for channel in _CONDITION.findall(task.get("triggerPolicy", {}).get("condition", "")):
            source = task["inputs"]["parameters"].get(f"pipelinechannel--{channel}", {}).get("taskOutputParameter")
            if source and source["outputParameterKey"] != "Output":
                mend = "it is silently false in kfp.local: let the component return that value alone, and use .output"
                yield Finding(where, f"condition on named output {channel}", mend)
        items = task.get("parameterIterator", {}).get("items", {}).get("inputParameter", "")
        source = task.get("inputs", {}).get("parameters", {}).get(items, {}).get("taskOutputParameter")
        if source and source["outputParameterKey"] != "Output":
            mend = "kfp.local fails on it: let the component return the list alone, and use .output"
            yield Finding(where, f"loop over named output {source['outputParameterKey']}", mend)


def _parameters(name: str, component: Document) -> Iterator[Finding]:
    for key, parameter in component.get("inputDefinitions", {}).get("parameters", {}).items():
        kind = parameter["parameterType"]
        if kind in ("STRUCT", "LIST"):
            mend = "its whole numbers become floats: pass one JSON string and validate it inside"
            yield Finding(f"{name}.{key}", f"parameter of type {kind}", mend)


def _limits(pipeline: Document, platform: Document) -> Iterator[Finding]:
    """What every task needs on a cluster that others use too."""
    executors = pipeline["deploymentSpec"]["executors"]
    settings = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    for dag_name, dag in _dags(pipeline):
        for task_name, task in dag["tasks"].items():
            component = pipeline["components"][task["componentRef"]["name"]]
            label = component.get("executorLabel")
            if label is None:
                continue
            where = f"{dag_name}/{task_name}"
            resources = executors[label].get("container", {}).get("resources", {})
            for kind in ("Cpu", "Memory"):
                if not (resources.get(f"resource{kind}Limit") or resources.get(f"{kind.lower()}Limit")):
                    mend = f"give its image role {kind.lower()} under `placement` in the profile"
                    yield Finding(where, f"no limit of {kind.lower()}", mend)
            pod = settings.get(label, {})
            if not int(pod.get("activeDeadlineSeconds", 0)):
                yield Finding(where, "no timeout", "set tasks.timeout_s in the profile")
            if not task.get("retryPolicy", {}).get("maxRetryCount"):
                yield Finding(where, "no retry", "set tasks.retry in the profile")
            context = pod.get("securityContext", {})
            if not context.get("runAsNonRoot") or str(context.get("runAsUser", "")) == "0":
                yield Finding(where, "may run as root", "set tasks.run_as_non_root in the profile, and no user 0")
