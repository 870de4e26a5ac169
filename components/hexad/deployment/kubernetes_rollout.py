"""Roll-out on Kubernetes: new Deployments beside the old, then the Service's selector moves to them.

Every object of a bundle carries the label BUNDLE_LABEL with the bundle's digest and has the digest in its name, so old
and new never share one. The one Service that clients use selects by that label; changing it is the switch. Established
connections stay with the old pods, which drain (the gateway's grace on SIGTERM) only when they are removed: at the end
of the next roll-out that succeeds, once they are no longer the previous bundle.
"""

import time
from collections.abc import Callable, Sequence

from hexad.deployment.bundle import BUNDLE_LABEL
from hexad.deployment.kubernetes_api import Conflict, KubernetesApi, KubernetesError, Object
from hexad.deployment.pointer import NoBundle
from hexad.deployment.rollout import StepFailed, Traffic
from hexad.storage import StorageError

_WORKLOADS = {"Deployment", "StatefulSet"}
_SCALERS = {"HorizontalPodAutoscaler", "ScaledObject"}
_OWNERS = {"InferenceService", "LLMInferenceService"}
"""Kinds whose controllers own a Deployment and would scale it up again."""
_INSTANCE = "app.kubernetes.io/instance"
_CONFLICTS = 5


class KubernetesDriver:
    """A `Driver`. `objects`: all of the new bundle, as dicts; the Service called `service` may be one of them.

    `smoke` is called with a digest and raises StepFailed; `traffic` counts what the new gateway answered; `switched` is
    told each digest that clients were sent to. `ready_s`: seconds until every Deployment must be ready.
    """

    errors: tuple[type[Exception], ...] = (KubernetesError, StorageError, NoBundle)
    """The last two from `switched`, which writes the pointer in the store."""

    def __init__(
        self,
        api: KubernetesApi,
        service: str,
        objects: Sequence[Object],
        smoke: Callable[[str], None],
        traffic: Callable[[str], Traffic | None] = lambda _: None,
        switched: Callable[[str], object] = lambda _: None,
        *,
        ready_s: float = 1800.0,
        poll_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._service, self._smoke = api, service, smoke
        self._front = next((o for o in objects if o["kind"] == "Service" and _name(o) == service), None)
        self._objects = [o for o in objects if o is not self._front]
        self._seen: set[str | None] = set()
        """Digests that the Service had or was given here: any other one is somebody else's."""
        self._traffic, self._switched = traffic, switched
        self._ready_s, self._poll_s, self._clock, self._sleep = ready_s, poll_s, clock, sleep
        for found in self._objects:
            if BUNDLE_LABEL not in found["metadata"].get("labels", {}):
                raise ValueError(
                    f"{found['kind']}/{_name(found)}: no label {BUNDLE_LABEL}, which tells it from the old bundle's; "
                    "add it, or take the object out"
                )

    def current(self) -> str | None:
        service = self._api.get("v1", "Service", self._service)
        found = service["spec"].get("selector", {}).get(BUNDLE_LABEL) if service else None
        self._seen.add(found)
        return found

    def start(self, digest: str) -> None:
        """Apply the objects of `digest`, or scale up again those that a failed roll-out left, and wait."""
        mine = self._of(digest)
        # What scales by load comes last: it must not fight with a stack that is only coming up.
        for wanted in sorted(mine, key=lambda o: o["kind"] in _SCALERS):
            applied = self._api.apply(wanted)
            if wanted["kind"] in _WORKLOADS and applied["spec"].get("replicas") == 0:
                # `drop` left it so, and a manifest that leaves replicas to a scaler does not say otherwise.
                self._api.patch(wanted["apiVersion"], wanted["kind"], _name(wanted), {"spec": {"replicas": 1}})
        workloads = [(o["apiVersion"], o["kind"], _name(o)) for o in mine if o["kind"] in _WORKLOADS]
        if not mine:
            found = self._api.list("apps/v1", "Deployment", f"{BUNDLE_LABEL}={digest}")
            workloads = [("apps/v1", "Deployment", _name(o)) for o in found]
        if not workloads:
            raise StepFailed(f"bundle {digest}: no Deployment in namespace {self._api.namespace}; roll it out anew")
        deadline = self._clock() + self._ready_s
        for api_version, kind, name in workloads:
            self._wait(api_version, kind, name, deadline)

    def smoke(self, digest: str) -> None:
        self._smoke(digest)

    def switch(self, digest: str) -> None:
        """Move the Service's selector. Two roll-outs at once: the API server's conflict check lets one through."""
        for attempt in range(_CONFLICTS):
            service = self._api.get("v1", "Service", self._service)
            if service is None:
                self._create_service(digest)
                break
            selected = service["spec"].get("selector", {}).get(BUNDLE_LABEL)
            if self._seen and selected not in {*self._seen, digest}:
                raise StepFailed(
                    f"Service {self._service}: another roll-out sent clients to {selected} meanwhile; wait for its end"
                )
            self._seen |= {selected, digest}
            change = {
                "metadata": {"resourceVersion": service["metadata"]["resourceVersion"]},
                "spec": {"selector": {BUNDLE_LABEL: digest}},
            }
            try:
                self._api.patch("v1", "Service", self._service, change)
                break
            except Conflict:
                if attempt == _CONFLICTS - 1:
                    raise
                self._sleep(self._poll_s)
        self._switched(digest)

    def traffic(self, digest: str) -> Traffic | None:
        return self._traffic(digest)

    def retire(self, keep: set[str]) -> None:
        kinds = dict.fromkeys((o["apiVersion"], o["kind"], _siblings(o)) for o in self._objects)
        # Scalers first: one left alone would bring back what is removed after it.
        for api_version, kind, siblings in sorted(kinds, key=lambda k: k[1] not in _SCALERS):
            for found in self._api.list(api_version, kind, siblings):
                if found["metadata"]["labels"][BUNDLE_LABEL] not in keep:
                    self._api.delete(api_version, kind, _name(found))

    def drop(self, digest: str) -> None:
        """Give the hardware back and leave the objects, whose events and conditions explain the failure."""
        for found in self._of(digest):
            if found["kind"] in _SCALERS | _OWNERS:
                self._api.delete(found["apiVersion"], found["kind"], _name(found))
        for found in self._of(digest):
            if found["kind"] in _WORKLOADS:
                self._api.patch(found["apiVersion"], found["kind"], _name(found), {"spec": {"replicas": 0}})

    def _of(self, digest: str) -> list[Object]:
        return [o for o in self._objects if o["metadata"]["labels"][BUNDLE_LABEL] == digest]

    def _create_service(self, digest: str) -> None:
        if self._front is None:
            raise StepFailed(
                f"Service {self._service}: not in namespace {self._api.namespace}; create it, or add it to the objects"
            )
        selector = self._front["spec"].get("selector", {}) | {BUNDLE_LABEL: digest}
        self._api.apply(self._front | {"spec": self._front["spec"] | {"selector": selector}})

    def _wait(self, api_version: str, kind: str, name: str, deadline: float) -> None:
        while True:
            found = self._api.get(api_version, kind, name)
            if found is None:
                raise StepFailed(f"{kind}/{name}: vanished while it was waited for; who deletes it?")
            if is_ready(found):
                return
            stalled = _stalled(found)
            if stalled or self._clock() >= deadline:
                ready, wanted = found.get("status", {}).get("readyReplicas", 0), found["spec"].get("replicas", 1)
                why = stalled or f"not within {self._ready_s:.0f} s"
                raise StepFailed(
                    f"{kind}/{name}: {ready} of {wanted} pods ready, "
                    f"{why}; see: kubectl -n {self._api.namespace} describe pods -l {BUNDLE_LABEL}"
                )
            self._sleep(self._poll_s)


def is_ready(workload: Object) -> bool:
    """All wanted pods are of the newest template and ready (as `kubectl rollout status` judges)."""
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 1)
    return bool(seen and min(status.get("updatedReplicas", 0), status.get("readyReplicas", 0)) >= wanted > 0)


def _stalled(workload: Object) -> str:
    for condition in workload.get("status", {}).get("conditions", []):
        if condition.get("type") == "Progressing" and condition.get("status") == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""


def _siblings(found: Object) -> str:
    """Selector of every bundle of the same endpoint: a namespace may hold several endpoints."""
    instance = found["metadata"]["labels"].get(_INSTANCE)
    return f"{BUNDLE_LABEL},{_INSTANCE}={instance}" if instance else f"{BUNDLE_LABEL},!{_INSTANCE}"


def _name(found: Object) -> str:
    return str(found["metadata"]["name"])
