"""What a cluster's API server says of the things that a profile needs. Reads only; every refusal is a fact too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hexad.preflight.cluster.needs import ClusterNeeds

Object = Mapping[str, Any]

VERSION, NODES, KUEUE = "/version", "/api/v1/nodes", "/apis/kueue.x-k8s.io"
NOBODY = (0, 401)
"""Statuses after which nothing else can be asked: no answer, and credentials that nobody knows."""


@dataclass(frozen=True)
class Answer:
    """What came back for one path. `status` is 0 without an answer; `said` is one line on why there is no object."""

    status: int
    body: Object = field(default_factory=dict)
    said: str = ""
    skew_s: float | None = None
    """The server's clock minus ours, seconds; None where it sent no Date."""

    @property
    def found(self) -> bool:
        return self.status == 200

    @property
    def missing(self) -> bool:
        """There is no such thing; else, where nothing was found either, we were not let look."""
        return self.status == 404


Read = Callable[[str], Answer]
"""GET of one REST path. Never raises: refusals and broken connections are answers."""


@dataclass(frozen=True)
class Facts:
    """Answers by path."""

    namespace: str
    answers: Mapping[str, Answer]

    def at(self, path: str) -> Answer:
        return self.answers[path]


def namespace_path(name: str) -> str:
    return f"/api/v1/namespaces/{name}"


def secret_path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


def claim_path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"


def account_path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"


def queue_path(kueue: Answer, namespace: str, name: str) -> str:
    """`kueue`: the answer for Kueue's API group, which knows the version to ask in."""
    return f"{KUEUE}/{_preferred(kueue)}/namespaces/{namespace}/localqueues/{name}"


def cluster_queue_path(kueue: Answer, name: str) -> str:
    return f"{KUEUE}/{_preferred(kueue)}/clusterqueues/{name}"


def gather(needs: ClusterNeeds, namespace: str, read: Read) -> Facts:
    """Ask for everything that the checks look at; of a server that does not answer, or does not know us, once."""
    answers = {VERSION: read(VERSION)}
    if answers[VERSION].status in NOBODY:
        return Facts(namespace, answers)
    for path in _paths(needs, namespace):
        answers[path] = read(path)
    for need in needs.secrets:
        path = secret_path(need.namespace or namespace, need.name)
        answers[path] = _without_values(read(path))
    if needs.queue:
        answers |= _queues(needs.queue, namespace, read)
    return Facts(namespace, answers)


def _paths(needs: ClusterNeeds, namespace: str) -> list[str]:
    paths = [namespace_path(name) for name in dict.fromkeys([namespace, *needs.namespaces])]
    paths += [NODES] if needs.pools else []
    for kind in needs.kinds:
        paths += [f"/apis/{kind.group}", f"/apis/{kind.group}/{kind.version}"]
    paths += [f"{wanted.path}/{wanted.name}" for wanted in needs.classes]
    paths += [claim_path(namespace, needs.claim)] if needs.claim else []
    paths += [account_path(namespace, needs.service_account)] if needs.service_account else []
    return list(dict.fromkeys(paths))


def _without_values(answer: Answer) -> Answer:
    """A secret's type and the names of its keys that hold something. The values end here."""
    if not answer.found:
        return answer
    data = answer.body.get("data") or {}
    kept = {"type": answer.body.get("type", ""), "keys": sorted(key for key, value in data.items() if value)}
    return Answer(answer.status, kept, answer.said, answer.skew_s)


def _queues(queue: str, namespace: str, read: Read) -> dict[str, Answer]:
    kueue = read(KUEUE)
    if not kueue.found:
        return {KUEUE: kueue}
    path = queue_path(kueue, namespace, queue)
    local = read(path)
    behind = str(local.body.get("spec", {}).get("clusterQueue", ""))
    cluster = {cluster_queue_path(kueue, behind): read(cluster_queue_path(kueue, behind))} if behind else {}
    return {KUEUE: kueue, path: local, **cluster}


def _preferred(group: Answer) -> str:
    return str(group.body["preferredVersion"]["version"])
