"""What a run's pods say: which stage they are of, what they wait for, why they ended. Pods are the API's JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hexad.submission.run_state import stage_of

Pod = Mapping[str, Any]

RUN_SELECTOR = "pipeline/runid={run_id}"
_NODE_NAME = "workflows.argoproj.io/node-name"
_QUEUE = "kueue.x-k8s.io/queue-name"
_MENDS = {
    "ImagePullBackOff": "check the image's name in the profile, and tasks.pull_secrets",
    "ErrImagePull": "check the image's name in the profile, and tasks.pull_secrets",
    "ErrImageNeverPull": "load the image into the node, or change tasks.pull_policy",
    "InvalidImageName": "correct the image's name in the profile",
    "CreateContainerConfigError": "make the secret or config map that it names, in this namespace",
    "OOMKilled": "raise the memory of its image role under `placement` in the profile",
    "DeadlineExceeded": "raise tasks.timeout_s in the profile, and submit again: what is done is kept",
    "Evicted": "raise its memory or disk in the profile",
}
_USUAL = ("ContainerCreating", "PodInitializing", "Completed", "Error")
_LONGEST = 240


def pod_stage(pod: Pod) -> str | None:
    """The stage that a pod is of, from the path of its node in Argo's workflow; None for pods of KFP itself."""
    path = pod["metadata"].get("annotations", {}).get(_NODE_NAME, "")
    names = (part.partition("(")[0] for part in reversed(path.split(".")))
    return next((stage for stage in map(stage_of, names) if stage), None)


def is_driver(pod: Pod) -> bool:
    """Whether a pod is KFP's driver, which prepares a task and ends before it starts."""
    path: str = pod["metadata"].get("annotations", {}).get(_NODE_NAME, "")
    return path.rpartition(".")[2].partition("(")[0].endswith("driver")


def notes(pods: Iterable[Pod]) -> dict[str, str]:
    """Stage to what one of its pods waits for or died of; stages without such a pod are left out."""
    found: dict[str, str] = {}
    for pod in pods:
        stage, trouble = pod_stage(pod), why(pod)
        if stage and trouble:
            found.setdefault(stage, trouble)
    return found


def why(pod: Pod) -> str:
    """What a pod waits for or died of, with the mend where there is one; empty while all is well."""
    status = pod.get("status", {})
    if status.get("reason") in _MENDS:
        return _told(status["reason"], status.get("message", ""))
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _unscheduled(pod, condition)
    for reason, message in _troubles(status):
        return _told(reason, message)
    return ""


def _unscheduled(pod: Pod, condition: Mapping[str, Any]) -> str:
    queue = pod["metadata"].get("labels", {}).get(_QUEUE)
    if condition.get("reason") == "SchedulingGated":
        where = f"Kueue's queue {queue}" if queue else "a scheduling gate"
        return f"waits for {where}; see `kubectl describe workload`" if queue else f"waits for {where}"
    return _told(condition.get("reason", "Unschedulable"), condition.get("message", ""))


def _troubles(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    containers: Sequence[Mapping[str, Any]] = [
        *(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])
    ]  # fmt: skip
    for container in containers:
        state = container.get("state", {})
        for kind in ("waiting", "terminated"):
            reason = state.get(kind, {}).get("reason", "")
            if reason and reason not in _USUAL:
                yield reason, state[kind].get("message", "")
    for container in containers:
        ended = container.get("state", {}).get("terminated", {})
        if ended.get("exitCode", 0) != 0:
            yield f"exit code {ended['exitCode']}", ended.get("message", "")


def _told(reason: str, message: str) -> str:
    said = " ".join(message.split())
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    return "; ".join(part for part in (f"{reason}: {said}" if said else reason, _MENDS.get(reason, "")) if part)
