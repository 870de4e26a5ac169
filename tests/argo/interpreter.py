"""The part of Argo that our WorkflowTemplates use: a DAG with loops, tags, output parameters, and the exit handler.

How Argo does it: tags are replaced in a template's JSON text, values escaped for it (util/template); a task of a loop
has the JSON list of its items' outputs (workflow/controller/operator.go, processAggregateNodeOutputs); `target` limits
a DAG to a task and what it depends on; the failures that the exit handler gets are JSON, quoted once more.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hexad

_TAG = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass(frozen=True)
class Pod:
    """One container, with all tags replaced."""

    name: str
    container: dict[str, Any]
    outputs: dict[str, str]
    """Name of an output parameter to the path inside the container that holds its value."""


@dataclass(frozen=True)
class Ended:
    """How a container ended."""

    outputs: dict[str, str]
    log: str
    failed: bool = False


@dataclass
class Workflow:
    """What is left of a run."""

    status: str = "Succeeded"
    outputs: dict[str, str] = field(default_factory=dict)
    """'task.parameter' to value."""
    logs: dict[str, str] = field(default_factory=dict)


Start = Callable[[Pod], Ended]


def run_workflow(template: Mapping[str, Any], start: Start, target: str = "") -> Workflow:
    """Run a WorkflowTemplate; `start` runs its containers. Raises KeyError for a tag that nothing resolves."""
    spec = template["spec"]
    templates = {made["name"]: made for made in spec["templates"]}
    known = {f"workflow.parameters.{p['name']}": p["value"] for p in spec["arguments"]["parameters"]}
    known["workflow.uid"] = "00000000-0000-0000-0000-000000000001"
    workflow = Workflow()
    failures = []
    tasks = {task["name"]: task for task in templates[spec["entrypoint"]]["dag"]["tasks"]}
    for name in _in_order(tasks, target):
        task = tasks[name]
        results = []
        for index, item in enumerate(task.get("withItems", [None])):
            scope = {f"tasks.{key}": value for key, value in workflow.outputs.items()} | {"item": item}
            given = {p["name"]: p["value"] for p in _filled(task.get("arguments", {}), scope).get("parameters", [])}
            pod_name = name if item is None else f"{name}({index}:{item})"
            ended = _start(start, pod_name, templates[task["template"]], known, given)
            workflow.logs[pod_name] = ended.log
            if ended.failed:
                failures.append({"displayName": pod_name, "message": "Error (exit code 1)", "finishedAt": "2026-01-01"})
            results.append(ended.outputs)
        if failures:
            workflow.status = "Failed"
            break
        for parameter in results[0]:
            values = [outputs[parameter] for outputs in results]
            joined = json.dumps(values) if "withItems" in task else values[0]
            workflow.outputs[f"{name}.outputs.parameters.{parameter}"] = joined
    ending = {"workflow.status": workflow.status, "workflow.failures": json.dumps(json.dumps(failures))}
    workflow.logs["onExit"] = _start(start, "onExit", templates[spec["onExit"]], known | ending, {}).log
    return workflow


def as_process(folder: Path) -> Start:
    """Containers as processes of this machine: a folder for each volume, this environment's Python."""

    def start(pod: Pod) -> Ended:
        place = folder / re.sub(r"\W", "-", pod.name)
        mounts = {mount["mountPath"]: place / mount["name"] for mount in pod.container["volumeMounts"]}
        for mount in mounts.values():
            mount.mkdir(parents=True, exist_ok=True)

        def here(path: str) -> str:
            under = [mount for mount in mounts if path == mount or path.startswith(f"{mount}/")]
            return str(mounts[under[0]]) + path.removeprefix(under[0]) if under else path

        plain = {variable["name"]: variable["value"] for variable in pod.container["env"] if "value" in variable}
        environment = plain | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(str(Path(root).parent) for root in hexad.__path__),
            "HOME": here("/tmp"),
            "TMPDIR": here("/tmp"),
            "OMP_WAIT_POLICY": "passive",
        }
        words = [*pod.container["command"], *map(here, pod.container["args"])]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)
        failed = done.returncode != 0
        outputs = {} if failed else {name: Path(here(path)).read_text() for name, path in pod.outputs.items()}
        return Ended(outputs, done.stdout + done.stderr, failed)

    return start


def _start(
    start: Start, name: str, template: Mapping[str, Any], known: Mapping[str, str], given: Mapping[str, str]
) -> Ended:
    wanted = [parameter["name"] for parameter in template.get("inputs", {}).get("parameters", [])]
    scope = {**known, **{f"inputs.parameters.{parameter}": given[parameter] for parameter in wanted}}
    outputs = {p["name"]: p["valueFrom"]["path"] for p in template.get("outputs", {}).get("parameters", [])}
    return start(Pod(name, _filled(template["container"], scope), outputs))


def _in_order(tasks: Mapping[str, Any], target: str) -> list[str]:
    """Tasks after those they depend on; with a target, it and those alone."""
    order: list[str] = []

    def visit(name: str) -> None:
        for other in tasks[name].get("dependencies", []):
            visit(other)
        if name not in order:
            order.append(name)

    for name in [target] if target else tasks:
        visit(name)
    return order


def _filled(template: Mapping[str, Any], scope: Mapping[str, str]) -> Any:
    return json.loads(_TAG.sub(lambda tag: json.dumps(scope[tag[1]])[1:-1], json.dumps(template)))
