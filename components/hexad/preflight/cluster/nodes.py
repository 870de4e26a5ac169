"""Whether some node can take the tasks of an image role: labels, taints, resources, driver.

The scheduler's own rules, for what profiles can say. What other pods use now is not counted: they end.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hexad.deployment.placement import Placement, Toleration
from hexad.deployment.quantity import quantity
from hexad.preflight.checks import Finding
from hexad.preflight.cluster.facts import Answer, Object
from hexad.preflight.cluster.needs import PoolNeed

CUDA_MAJOR = 13
"""Of the GPU images (requirements/train-gpu.txt). Drivers from 580 on run it:
https://docs.nvidia.com/deploy/cuda-compatibility/"""
_NVIDIA, _DISK = "nvidia.com/gpu", "ephemeral-storage"
# Labels of GPU feature discovery: the newest CUDA that the node's driver runs. The second is their former name.
_CUDA_LABELS = ("nvidia.com/cuda.runtime-version.major", "nvidia.com/cuda.runtime.major")
_DRIVER_LABEL = "nvidia.com/cuda.driver-version.full"
_MOST_NAMED = 3


def pool(need: PoolNeed, answer: Answer, on_demand: bool, scratch_gib: float = 0.0) -> Finding:
    """One line on the nodes of a role. `answer`: that for all nodes. `on_demand`: nodes are made when pods wait.

    `scratch_gib`: ephemeral storage that tasks fill.
    """
    check = f"nodes for {need.role}"
    if not answer.found:
        return Finding(check=check, found=answer.said, judged=False)
    found, mend, grows = _judge(need, answer.body.get("items") or [], _requests(need.placement, scratch_gib))
    if mend and grows and on_demand:
        return Finding(check=check, found=f"{found}; nodes are made on demand", judged=False)
    return Finding(check=check, found=found, mend=mend)


def _judge(need: PoolNeed, nodes: Sequence[Object], requests: Mapping[str, Decimal]) -> tuple[str, str, bool]:
    """(found, mend, whether more nodes would mend it)."""
    place, wanted = f"placement.{need.role}", need.placement
    if not need.anywhere:
        selected = [node for node in nodes if _matches(_labels(node), wanted.node_selector)]
        if not selected:
            mend = f"add such nodes, correct {place}.node_selector, or set nodes_on_demand where a scaler makes them"
            return _unmatched(wanted.node_selector, nodes), mend, True
        nodes = [node for node in selected if _has_affinity(node, need.affinity)]
        if not nodes:
            return f"none of {len(selected)} nodes has the affinity", f"correct tasks.affinity.{need.role}", True
        untolerated = [_untolerated(node, wanted.tolerations) for node in nodes]
        if all(untolerated):
            taints = ", ".join(sorted({taint for found in untolerated for taint in found}))
            return f"taint {taints} on {_named(nodes)}", f"uncordon them, or add it to {place}.tolerations", True
        nodes = [node for node, taints in zip(nodes, untolerated, strict=True) if not taints]
    ready = [node for node in nodes if _is_ready(node)]
    if not ready:
        return f"not ready: {_named(nodes)}", "see `kubectl describe node`", True
    if need.anywhere and any(_cuda(node) >= CUDA_MAJOR for node in ready):
        ready = [node for node in ready if not _is_old(node)]  # another pool's driver is not this run's trouble
    found, mend, grows = _resources(place, wanted.accelerator, ready, requests)
    # Of the whole cluster's nodes, those that are there may all be of other pools.
    return found, mend, grows or need.anywhere


def _resources(
    place: str, accelerator: str, nodes: Sequence[Object], requests: Mapping[str, Decimal]
) -> tuple[str, str, bool]:
    fitting = [node for node in nodes if all(_amount(node, name) >= least for name, least in requests.items())]
    if fitting:
        return _driver(accelerator, fitting, requests)
    name = next((n for n, least in requests.items() if all(_amount(node, n) < least for node in nodes)), "")
    if not name:
        amounts = ", ".join(f"{n} {_text(least)}" for n, least in requests.items())
        return f"no node has {amounts} at once", f"lower {place}, or choose larger nodes", True
    best = max(nodes, key=lambda node: _amount(node, name))
    most = _amount(best, name)
    if name == accelerator and most == 0:
        if any(_amount(node, name, "capacity") for node in nodes):
            found = f"{name}: none of those on {_named(nodes)} is healthy"
            return found, "see the driver's and the device plugin's pods there", False
        plugin = "install the device plugin (for NVIDIA: the GPU operator)"
        return f"{name}: not offered by {_named(nodes)}", f"{plugin}, or correct {place}.accelerator", False
    lower = {accelerator: f"{place}.accelerators", _DISK: "preflight.min_free_disk_gib"}.get(name, f"{place}.{name}")
    found = f"{name}: {_text(most)} on {best['metadata']['name']} is the most, {_text(requests[name])} needed"
    return found, f"lower {lower}, or choose larger nodes", True


def _driver(accelerator: str, nodes: Sequence[Object], requests: Mapping[str, Decimal]) -> tuple[str, str, bool]:
    amounts = ", ".join(f"{_text(least)} {name}" for name, least in requests.items())
    found = f"{len(nodes)} node{'s' if len(nodes) > 1 else ''} with {amounts or 'no limits'}"
    if accelerator != _NVIDIA:
        return found, "", False
    drivers = sorted({_labels(node)[_DRIVER_LABEL] for node in nodes if _DRIVER_LABEL in _labels(node)})
    found += f", driver {', '.join(drivers)}" if drivers else ""
    old = [node for node in nodes if _is_old(node)]
    if not old:
        return found, "", False
    mend = f"update it to 580 or later (CUDA {CUDA_MAJOR}), or leave those nodes out by placement.*.node_selector"
    return f"the driver of {_named(old)} runs CUDA {min(map(_cuda, old))} at most", mend, False


def _is_old(node: Object) -> bool:
    return 0 < _cuda(node) < CUDA_MAJOR


def _cuda(node: Object) -> int:
    """Major version of the newest CUDA that the node's driver runs; 0 where nobody wrote it down."""
    value = next((_labels(node)[label] for label in _CUDA_LABELS if label in _labels(node)), "0")
    return int(value) if value.isdigit() else 0


def _requests(wanted: Placement, scratch_gib: float) -> dict[str, Decimal]:
    """The accelerator first: it is what nodes lack most often."""
    asked = {wanted.accelerator: str(wanted.accelerators)} if wanted.accelerator else {}
    asked |= {name: amount for name, amount in (("cpu", wanted.cpu), ("memory", wanted.memory)) if amount}
    asked |= {_DISK: f"{scratch_gib:f}Gi"} if scratch_gib else {}
    return {name: quantity(amount) for name, amount in asked.items()}


def _amount(node: Object, name: str, kind: str = "allocatable") -> Decimal:
    return quantity(str(node.get("status", {}).get(kind, {}).get(name, "0")))


def _text(amount: Decimal) -> str:
    gib = amount / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{amount:f}"


def _labels(node: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    return labels


def _matches(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _unmatched(selector: Mapping[str, str], nodes: Sequence[Object]) -> str:
    for key, value in sorted(selector.items()):
        there = sorted({_labels(node)[key] for node in nodes if key in _labels(node)})
        if value not in there:
            return f"no node has {key}={value}" + (f", but {', '.join(there[:_MOST_NAMED])}" if there else "")
    labels = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return f"no node has {labels} at once" if nodes else "the cluster has no nodes"


def _has_affinity(node: Object, affinity: Mapping[str, Any]) -> bool:
    """Required terms are alternatives, each with expressions that must all hold; preferences do not count."""
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(
        all(_holds(expression, _labels(node)) for expression in term.get("matchExpressions") or [])
        and all(_holds(e, {"metadata.name": node["metadata"]["name"]}) for e in term.get("matchFields") or [])
        for term in required.get("nodeSelectorTerms") or []
        if term
    )


_OPERATORS: dict[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda have, values: have in values,
    "NotIn": lambda have, values: have not in values,
    "Exists": lambda have, _: have is not None,
    "DoesNotExist": lambda have, _: have is None,
    "Gt": lambda have, values: (have or "").isdigit() and int(have or 0) > int(values[0]),
    "Lt": lambda have, values: (have or "").isdigit() and int(have or 0) < int(values[0]),
}


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return _OPERATORS[expression["operator"]](labels.get(expression["key"]), expression.get("values") or [])


def _untolerated(node: Object, tolerations: Sequence[Toleration]) -> list[str]:
    """Taints that keep pods away; a soft one (PreferNoSchedule) does not."""
    taints = node.get("spec", {}).get("taints") or []
    return [
        f"{taint['key']}{'=' if taint.get('value') else ''}{taint.get('value', '')}:{taint['effect']}"
        for taint in taints
        if taint["effect"] != "PreferNoSchedule" and not any(_tolerates(t, taint) for t in tolerations)
    ]


def _tolerates(toleration: Toleration, taint: Mapping[str, str]) -> bool:
    same = toleration.key == taint["key"] and toleration.effect == taint["effect"]
    return same and (toleration.operator == "Exists" or toleration.value == taint.get("value", ""))


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _named(nodes: Sequence[Object]) -> str:
    names = [str(node["metadata"]["name"]) for node in nodes]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
