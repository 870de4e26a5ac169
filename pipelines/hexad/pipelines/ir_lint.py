"""What a compiled pipeline must not hold: constructs that pass here and fail, or silently lie, on a cluster.

Reads only the compiled documents, so it also covers components that came from elsewhere. Where the rules come from:
conditions and dict parameters misbehave in kfp.local and in protobuf's Struct; Kubeflow's cache cannot see a tag move;
pods without resources, limits of time or a user are refused, evicted or run for ever on a shared cluster.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_CONDITION = re.compile(r"parameter_values\['pipelinechannel--([^']+)'\]")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_GIT_TAG = re.compile(r":(?:git-)?[0-9a-f]{12,40}$")
_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key|(?:access|secret|private)_?key|credential)s?$")
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"),
    "an API key": re.compile(r"\b(?:sk|csk)-[A-Za-z0-9_-]{24,}\b"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}$]+:[^\s/@'\"{}$]+@"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that must not be: where, what, and what to do about it."""

    task: str
    value: str
    mend: str

    def __str__(self) -> str:
        return f"{self.task}: {self.value}; {self.mend}"


def lint(pipeline: Document, platform: Document | None = None, *, cluster: bool, mutable_images: bool) -> list[Finding]:
    """Findings in a pipeline's IR and its platform document.

    `cluster`: every task must have what a shared cluster asks for. `mutable_images`: tags that can move are accepted.
    """
    findings: list[Finding] = []
    for name, executor in pipeline["deploymentSpec"]["executors"].items():
        findings += _container(name, executor.get("container", {}), mutable_images)
    for name, dag in _dags(pipeline):
        findings += _dag(name, dag)
    for name, component in pipeline["components"].items():
        if "dag" not in component:
            findings += _parameters(name, component)
    if cluster:
        findings += _limits(pipeline, platform or {})
    findings += _secrets("pipeline", pipeline)
    findings += _secrets("platform", platform or {})
    return findings


def _dags(pipeline: Document) -> Iterator[tuple[str, Document]]:
    yield "root", pipeline["root"]["dag"]
    for name, component in pipeline["components"].items():
        if "dag" in component:
            yield name, component["dag"]


def _container(name: str, container: Document, mutable_images: bool) -> Iterator[Finding]:
    program = " ".join([*container.get("command", []), *container.get("args", [])])
    if re.search(r"\bpip3?['\"]?,? +['\"]?install\b", program):
        yield Finding(name, "installs packages when it runs", "build them into its image (packages_to_install=[])")
    image = container.get("image", "")
    if "{{" in image:
        yield Finding(name, f"image {image} is a run-time parameter", "name the image when the pipeline is compiled")
    elif not mutable_images:
        yield from _image(name, image)
    for variable in container.get("env", []):
        value = str(variable.get("value", ""))
        if "{{channel:" in value:
            mend = "Kubeflow does not fill it in: pass it as a parameter of the component"
            yield Finding(name, f"environment variable {variable['name']} holds an unresolved channel", mend)
        elif value and _SECRET_NAME.search(variable["name"]):
            mend = "take it from a Kubernetes secret by name (store_secret, tasks.secret_environment)"
            yield Finding(name, f"environment variable {variable['name']} holds a value", mend)


def _image(name: str, image: str) -> Iterator[Finding]:
    if not (_DIGEST.search(image) or _GIT_TAG.search(image)):
        mend = "name it by digest (…@sha256:…) or by the commit it was built from"
        yield Finding(name, f"image {image} can move under its tag, which Kubeflow's cache does not see", mend)


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


def _secrets(place: str, value: object) -> Iterator[Finding]:
    """Secret values in any text, with the way there; the value itself is not repeated."""
    if isinstance(value, str):
        for what, pattern in _SECRETS.items():
            if pattern.search(value):
                yield Finding(place, f"holds {what}", "take it out, revoke it, and name a Kubernetes secret instead")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(f"{place}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(f"{place}[{index}]", inner)
