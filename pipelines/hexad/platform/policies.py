"""Whom the pods of runs may talk to. Nobody may talk to them, but for the pods of one training job among themselves."""

from hexad.deployment.cluster.network import block, dns, namespace, tcp, to_peers
from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile
from hexad.platform.labels import Part, metadata
from hexad.platform.training import TRAINING_LABELS

RUN_LABELS = {"pipelines.kubeflow.org/v2_component": "true"}
"""Kubeflow's compiler puts it on every pod of a run, its own drivers included."""

_KUBEFLOW = "kubeflow"
_KUBEFLOW_PORTS = (8080, 8887, 8888)
"""Its metadata service, and its API as gRPC and as HTTP."""
_KUBEFLOW_STORE_PORTS = (8333, 9000)
"""Its own store: SeaweedFS, in older ones MinIO. Policies see pods' ports, not Services'."""
_API_SERVER_PORTS = (443, 6443)


def policy_objects(profile: Profile) -> list[Object]:
    """NetworkPolicies for the pods of runs and, where there is Kubeflow Trainer, of training jobs."""
    site = profile.endpoint
    if site is None:
        return []
    outside = [dns(site), *to_peers(site.store_egress)]
    # Without settings of ours Kubeflow's small artifacts go to its own store.
    ports = _KUBEFLOW_PORTS if profile.artifacts is not None else (*_KUBEFLOW_PORTS, *_KUBEFLOW_STORE_PORTS)
    kubeflow = {"to": [namespace(_KUBEFLOW)], "ports": tcp(ports)}
    # The executor reports to the API server, which network policies know by its address only.
    servers = {"to": [block(cidr) for cidr in profile.tasks.api_server_cidrs], "ports": tcp(_API_SERVER_PORTS)}
    made = [_policy(profile, "pipeline", RUN_LABELS, [], [*outside, kubeflow, servers])]
    if profile.trainer:
        # No ports: collectives of torch open any.
        peers = [{"podSelector": {"matchLabels": TRAINING_LABELS}}]
        made.append(_policy(profile, "training", TRAINING_LABELS, [{"from": peers}], [*outside, {"to": peers}]))
    return made


def _policy(
    profile: Profile, part: Part, labels: dict[str, str], ingress: list[Object], egress: list[Object]
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(profile, f"hexad-{part}", part),
        "spec": {
            "podSelector": {"matchLabels": labels},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }
