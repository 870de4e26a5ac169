"""What runs after what and takes which tree, read out of the compiled pipeline, so that both formats run the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One stage of the pipeline."""

    stage: str
    after: tuple[str, ...]
    """Stages that must have succeeded."""
    inputs: Mapping[str, str]
    """Name of an input to the stage whose tree it is."""
    items: tuple[str, ...] = ()
    """It runs once for each of them; none: it runs once."""
    parallelism: int = 0
    """How many of these at a time; 0: all."""


@dataclass(frozen=True)
class Flow:
    """The steps, each after those it waits for, and the stage that runs last whatever happened."""

    steps: tuple[Step, ...]
    last: str


def flow(ir: Document) -> Flow:
    """The flow of a pipeline's IR: one exit handler around stages and loops over one stage.

    Raises ValueError for an IR of another shape.
    """
    root = ir["root"]["dag"]["tasks"]
    last = [name for name, task in root.items() if "strategy" in task.get("triggerPolicy", {})]
    body = [name for name in root if name not in last]
    if len(last) != 1 or len(body) != 1:
        raise ValueError(f"{', '.join(root)}: not one exit handler and its last task; no Argo form is known for that")
    tasks = _dag(ir, root[body[0]])["tasks"]
    names = {name: next(iter(inner)) if (inner := _looped(ir, task)) else name for name, task in tasks.items()}
    steps = {step.stage: step for step in _steps(ir, tasks, names)}
    # Protobuf's maps have no order.
    order = TopologicalSorter({stage: steps[stage].after for stage in sorted(steps)}).static_order()
    return Flow(tuple(steps[stage] for stage in order), last[0])


def _steps(ir: Document, tasks: Document, names: Mapping[str, str]) -> Iterator[Step]:
    for name, task in tasks.items():
        after = tuple(sorted(names[other] for other in task.get("dependentTasks", ())))
        given = {
            artifact: names[source["taskOutputArtifact"]["producerTask"]]
            for artifact, source in sorted(_artifacts(task).items())
        }
        looped = _looped(ir, task)
        if not looped:
            yield Step(name, after, given)
            continue
        if len(looped) != 1:
            raise ValueError(f"{name}: loops over {', '.join(looped)}; Argo's form is known for one stage")
        ((stage, inner),) = looped.items()
        inputs = {key: given[source["componentInputArtifact"]] for key, source in sorted(_artifacts(inner).items())}
        items = tuple(json.loads(task["parameterIterator"]["items"]["raw"]))
        yield Step(stage, after, inputs, items, task.get("iteratorPolicy", {}).get("parallelismLimit", 0))


def _artifacts(task: Document) -> Document:
    found: Document = task.get("inputs", {}).get("artifacts", {})
    return found


def _looped(ir: Document, task: Document) -> Document:
    """The tasks inside a loop; empty for a stage."""
    found: Document = _dag(ir, task).get("tasks", {})
    return found


def _dag(ir: Document, task: Document) -> Document:
    found: Document = ir["components"][task["componentRef"]["name"]].get("dag", {})
    return found
