"""What the scan of manifests lets pass: findings with a written reason, and no reason without a finding."""

import pytest

from .manifest_scan import Accepted, Finding, accepted, judge, with_runtime_pods
from .test_manifests import cluster_overlay

FOUND = Finding("CKV_K8S_8", "Pod.hexad.hexad-train-node", "Liveness probe", "/gke.yaml")


@pytest.mark.parametrize(
    ("exceptions", "left", "unused"),
    [
        ([], 1, 0),
        ([Accepted("CKV_K8S_8", "Pod.hexad.hexad-train", "ends by itself")], 0, 0),
        ([Accepted("CKV_K8S_8", "", "of all")], 0, 0),
        ([Accepted("CKV_K8S_9", "Pod.hexad.hexad-train", "another check")], 1, 1),
        ([Accepted("CKV_K8S_8", "Deployment.hexad", "another object")], 1, 1),
        ([Accepted("CKV_K8S_8", "", "another cluster", "/kind.yaml")], 1, 1),
        ([Accepted("CKV_K8S_8", "", "this cluster", "/gke.yaml")], 0, 0),
    ],
)
def test_a_finding_passes_only_with_a_reason(exceptions: list[Accepted], left: int, unused: int) -> None:
    assert tuple(map(len, judge([FOUND], exceptions))) == (left, unused)


def test_every_exception_says_why() -> None:
    assert all(len(exception.reason.split()) > 3 for exception in accepted())
    assert len({(e.check, e.resource, e.place) for e in accepted()}) == len(accepted())


def test_pods_of_a_training_runtime_are_scanned_as_pods() -> None:
    objects = list(cluster_overlay("gke").objects)
    added = with_runtime_pods(objects)[len(objects) :]
    assert [(made["kind"], made["metadata"]["name"]) for made in added] == [("Pod", "hexad-train-node")]
    assert added[0]["spec"]["containers"][0]["image"] == "hexad-train"
