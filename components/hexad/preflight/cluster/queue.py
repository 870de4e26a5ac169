"""Kueue: the LocalQueue admits workloads, and its quota is enough for the largest task.

https://kueue.sigs.k8s.io/docs/concepts/local_queue/ and …/cluster_queue/
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hexad.deployment.placement import Placement
from hexad.deployment.quantity import quantity
from hexad.preflight.checks import Finding
from hexad.preflight.cluster.facts import KUEUE, Facts, Object, cluster_queue_path, queue_path
from hexad.preflight.cluster.needs import ClusterNeeds

_DELETE = "or delete tasks.queue from the profile"


def queue(needs: ClusterNeeds, facts: Facts) -> Iterator[Finding]:
    """One line on the LocalQueue, and one on the quota behind it where it can be read."""
    check = f"queue {needs.queue}"
    kueue = facts.at(KUEUE)
    if not kueue.found:
        mend = f"install Kueue, {_DELETE}" if kueue.missing else ""
        yield Finding(check=check, found="no Kueue" if mend else kueue.said, mend=mend, judged=kueue.missing)
        return
    local = facts.at(queue_path(kueue, facts.namespace, needs.queue))
    if not local.found:
        mend = f"make a LocalQueue in namespace {facts.namespace}, {_DELETE}" if local.missing else ""
        yield Finding(check=check, found="missing" if mend else local.said, mend=mend, judged=local.missing)
        return
    behind = str(local.body["spec"].get("clusterQueue", ""))
    stopped = local.body["spec"].get("stopPolicy") or "None"
    active = _condition(local.body, "Active")
    if stopped != "None":
        yield Finding(check=check, found=f"stopPolicy {stopped}", mend="set it to None: nothing starts until then")
    elif active.get("status") != "True":
        said = active.get("message") or active.get("reason") or "no condition Active yet"
        yield Finding(check=check, found=f"not active: {said}", mend=f"see `kubectl describe clusterqueue {behind}`")
    else:
        waiting = local.body.get("status", {}).get("pendingWorkloads", 0)
        yield Finding(check=check, found=f"active, {waiting} workloads wait")
    placements = [pool.placement for pool in needs.pools if pool.placement.accelerator]
    if placements and behind:
        cluster = facts.at(cluster_queue_path(kueue, behind))
        largest = max(placements, key=lambda wanted: wanted.accelerators)
        check = f"quota of {behind}"
        if cluster.found:
            yield _quota(check, largest, cluster.body["spec"])
        else:
            yield Finding(check=check, found=cluster.said, judged=False)


def _quota(check: str, wanted: Placement, spec: Object) -> Finding:
    """The most that one flavour can give. In a cohort it may borrow what we do not see."""
    name = wanted.accelerator
    quotas = [_most(resource) for resource in _resources(spec.get("resourceGroups") or []) if resource["name"] == name]
    if not quotas:
        mend = f"add {name} to its resourceGroups: a task that asks for it is never admitted"
        return Finding(check=check, found=f"covers no {name}", mend=mend)
    most = max(quotas)
    # v1beta2 renamed the field.
    if most < wanted.accelerators and not (spec.get("cohort") or spec.get("cohortName")):
        mend = "raise its nominalQuota, or lower placement.*.accelerators: such a task waits for ever"
        return Finding(check=check, found=f"{most:f} {name}, {wanted.accelerators} needed", mend=mend)
    return Finding(check=check, found=f"{most:f} {name}")


def _resources(groups: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for group in groups:
        for flavor in group.get("flavors") or []:
            yield from flavor.get("resources") or []


def _most(resource: Mapping[str, Any]) -> Decimal:
    return quantity(str(resource["nominalQuota"])) + quantity(str(resource.get("borrowingLimit") or "0"))


def _condition(made: Object, kind: str) -> Mapping[str, Any]:
    conditions = made.get("status", {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})
