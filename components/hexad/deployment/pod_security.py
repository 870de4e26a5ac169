"""Kubernetes' Pod Security Standards, level "restricted", as a check of plain dicts.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ (Kubernetes 1.34), for Linux pods. The admission
controller says the same only once a pod is made, and of a Deployment's pods only in an event.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

WORKLOADS = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "InferenceService": ("spec", "predictor"),
    "LLMInferenceService": ("spec", "template"),
}
"""Kind to where its pod spec is."""

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def restricted_violations(made: Object) -> list[str]:
    """What keeps an object's pods out of a "restricted" namespace: one line each, with place and mend. [] for none.

    Objects without pods have no violations. Raises KeyError for a workload without a pod spec.
    """
    path = WORKLOADS.get(made.get("kind", ""))
    if path is None:
        return []
    pod: Any = made
    annotations: Any = {}
    for step in path:
        annotations = pod.get("metadata", {}).get("annotations", {})
        pod = pod[step]
    place = f"{made['kind']}/{made.get('metadata', {}).get('name', '')}"
    found = [*_pod(pod), *_annotations(annotations or {}), *_volumes(pod.get("volumes") or [])]
    for where, container in _containers(pod):
        found += [f"{where}: {problem}" for problem in _container(container, pod.get("securityContext") or {})]
    return [f"{place}: {problem}" for problem in found]


def _containers(pod: Object) -> Iterator[tuple[str, Object]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(field) or []:
            yield f"{field}[{container.get('name', '')}]", container


def _pod(pod: Object) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"{field} is true; remove it"
    context = pod.get("securityContext") or {}
    yield from _context(context, "securityContext")
    for setting in context.get("sysctls") or []:
        if setting["name"] not in _SYSCTLS:
            yield f"securityContext.sysctls: {setting['name']} is not among the safe ones; remove it"


def _context(context: Object, where: str) -> Iterator[str]:
    """What pods and containers may not set, whichever of them it is."""
    if context.get("runAsUser") == 0:
        yield f"{where}.runAsUser is 0; use another number, or leave it to the image"
    if context.get("runAsNonRoot") is False:
        yield f"{where}.runAsNonRoot is false; set it to true"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}.windowsOptions.hostProcess is true; remove it"
    options = context.get("seLinuxOptions") or {}
    if options.get("type", "") not in _SELINUX_TYPES or options.get("user") or options.get("role"):
        yield f"{where}.seLinuxOptions: {dict(options)}; only the types of containers are allowed, and no user or role"
    seccomp = (context.get("seccompProfile") or {}).get("type")
    if seccomp not in (None, "RuntimeDefault", "Localhost"):
        yield f"{where}.seccompProfile.type is {seccomp}; set it to RuntimeDefault"
    apparmor = (context.get("appArmorProfile") or {}).get("type")
    if apparmor not in (None, "RuntimeDefault", "Localhost"):
        yield f"{where}.appArmorProfile.type is {apparmor}; remove it"


def _annotations(annotations: Object) -> Iterator[str]:
    for key, value in annotations.items():
        if key.startswith(_APPARMOR) and value != "runtime/default" and not value.startswith("localhost/"):
            yield f"annotation {key} is {value}; remove it"


def _volumes(volumes: Sequence[Object]) -> Iterator[str]:
    for volume in volumes:
        for kind in sorted(set(volume) - {"name"} - _VOLUMES):
            yield f"volumes[{volume['name']}] is a {kind}; use emptyDir, ephemeral or a persistentVolumeClaim"


def _container(container: Object, pod_context: Object) -> Iterator[str]:
    context = container.get("securityContext") or {}
    yield from _context(context, "securityContext")
    if context.get("privileged"):
        yield "securityContext.privileged is true; remove it"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "securityContext.allowPrivilegeEscalation is not false; set it"
    # A container's own setting wins over the pod's, so only a missing one may be inherited.
    if context.get("runAsNonRoot") is None and pod_context.get("runAsNonRoot") is not True:
        yield "securityContext.runAsNonRoot is not true, here or on the pod; set it"
    if not (context.get("seccompProfile") or pod_context.get("seccompProfile") or {}).get("type"):
        yield "securityContext.seccompProfile is missing, here and on the pod; set type RuntimeDefault"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "securityContext.capabilities.drop lacks ALL; add it"
    for added in capabilities.get("add") or []:
        if added != "NET_BIND_SERVICE":
            yield f"securityContext.capabilities.add: {added}; remove it"
    if context.get("procMount") not in (None, "Default"):
        yield f"securityContext.procMount is {context['procMount']}; remove it"
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"ports: hostPort {port['hostPort']}; remove it and use a Service"
    for field, host in _probed_hosts(container):
        yield f"{field}: host {host}; remove it: a kubelet that calls other hosts can be misused"


def _probed_hosts(container: Object) -> Iterator[tuple[str, str]]:
    lifecycle = container.get("lifecycle") or {}
    handlers = {f"lifecycle.{name}": lifecycle.get(name) for name in ("postStart", "preStop")}
    handlers |= {name: container.get(name) for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    for field, handler in handlers.items():
        for action in ("httpGet", "tcpSocket"):
            host = ((handler or {}).get(action) or {}).get("host")
            if host:
                yield f"{field}.{action}", host
