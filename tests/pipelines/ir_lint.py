"""What a compiled pipeline must not hold: constructs that pass here and fail, or silently lie, elsewhere."""

import re
from collections.abc import Iterator
from typing import Any

_CONDITION = re.compile(r"parameter_values\['pipelinechannel--([^']+)'\]")


def lint(spec: dict[str, Any]) -> list[str]:
    """Findings in a pipeline's IR, the first document of the YAML."""
    found = []
    for name, executor in spec["deploymentSpec"]["executors"].items():
        found += _executor(name, executor.get("container", {}))
    found += _dag("root", spec["root"]["dag"])
    for name, component in spec["components"].items():
        found += _dag(name, component["dag"]) if "dag" in component else []
        found += _parameters(name, component)
    return found


def _executor(name: str, container: dict[str, Any]) -> Iterator[str]:
    program = " ".join(container.get("command", []) + container.get("args", []))
    if "pip install" in program:
        yield f"{name}: installs packages when it runs"
    if "{{" in container.get("image", ""):
        yield f"{name}: image is a run-time parameter, which kfp.local cannot resolve"
    for variable in container.get("env", []):
        if "{{channel:" in variable.get("value", ""):
            yield f"{name}: environment variable {variable['name']} holds an unresolved channel"


def _dag(name: str, dag: dict[str, Any]) -> Iterator[str]:
    for output, selector in dag.get("outputs", {}).get("artifacts", {}).items():
        if len(selector.get("artifactSelectors", [])) > 1:
            yield f"{name}: OneOf over artifacts ({output}) fails in kfp.local"
    for task_name, task in dag["tasks"].items():
        for channel in _CONDITION.findall(task.get("triggerPolicy", {}).get("condition", "")):
            source = task["inputs"]["parameters"].get(f"pipelinechannel--{channel}", {}).get("taskOutputParameter")
            if source and source["outputParameterKey"] != "Output":
                yield f"{name}/{task_name}: a condition on named output {channel} is silently false in kfp.local"


def _parameters(name: str, component: dict[str, Any]) -> Iterator[str]:
    for key, parameter in component.get("inputDefinitions", {}).get("parameters", {}).items():
        if parameter["parameterType"] in ("STRUCT", "LIST") and "dag" not in component:
            yield f"{name}.{key}: numbers in a {parameter['parameterType'].lower()} become floats"
