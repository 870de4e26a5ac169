"""What is said of namespaces, secrets, claims, classes, kinds, queues and clocks, from what an API server answered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hexad.preflight.checks import Finding
from hexad.preflight.clock import MOST_S, clock, skew_s
from hexad.preflight.cluster.checks import findings
from hexad.preflight.cluster.facts import VERSION, Answer, gather
from hexad.preflight.cluster.needs import ClusterNeeds, inside_a_run

TEAM = "/api/v1/namespaces/team"
KUEUE = "/apis/kueue.x-k8s.io"
QUEUE = f"{KUEUE}/v1beta2/namespaces/team/localqueues/gpu"
CLUSTER_QUEUE = f"{KUEUE}/v1beta2/clusterqueues/all"
PULL = "kubernetes.io/dockerconfigjson"


class Cluster:
    """Answers by path; everything else is missing."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.put(VERSION, gitVersion="v1.34.1")
        self.put(TEAM, metadata={"labels": {}})
        self.put(KUEUE, preferredVersion={"version": "v1beta2"})
        self.put(QUEUE, spec={"clusterQueue": "all"}, status=active())
        self.put(CLUSTER_QUEUE, spec=quota("8"))

    def put(self, path: str, **body: Any) -> None:
        self.answers[path] = Answer(200, body, skew_s=0.0)

    def forbid(self, path: str) -> None:
        self.answers[path] = Answer(403, said=f"GET {path}: HTTP 403; this account may not read it")

    def read(self, path: str) -> Answer:
        self.asked.append(path)
        return self.answers.get(path, Answer(404, said="HTTP 404"))

    def check(self, name: str, **needs: Any) -> Finding:
        made = ClusterNeeds.model_validate({"profile": "test", **needs})
        (found,) = [f for f in findings(made, gather(made, "team", self.read)) if f.check == name]
        return found


def active(status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": "Active", "status": status, **more}], "pendingWorkloads": 3}


def quota(amount: str, resource: str = "nvidia.com/gpu", **spec: Any) -> dict[str, Any]:
    flavor = {"name": "h100", "resources": [{"name": resource, "nominalQuota": amount}]}
    return {"resourceGroups": [{"coveredResources": [resource], "flavors": [flavor]}], **spec}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


SECRET = {"place": "store_secret", "name": "store", "keys": ["access_key", "endpoint"]}
GPU_POOL = {"role": "train", "placement": {"accelerator": "nvidia.com/gpu", "accelerators": 8}}


def test_a_secret_with_all_its_keys_passes(cluster: Cluster) -> None:
    cluster.put(f"{TEAM}/secrets/store", type="Opaque", data={"access_key": "eA==", "endpoint": "eA==", "more": "eA=="})
    found = cluster.check("secret store", secrets=[SECRET])
    assert (found.found, found.mend) == ("in namespace team, keys access_key, endpoint", "")


def test_a_missing_secret_names_its_namespace_and_its_place_in_the_profile(cluster: Cluster) -> None:
    found = cluster.check("secret store", secrets=[SECRET])
    assert found.line == (
        "secret store: missing: make it in namespace team, or correct store_secret in the profile"
    )  # fmt: skip


def test_a_key_that_is_missing_or_empty_is_named(cluster: Cluster) -> None:
    cluster.put(f"{TEAM}/secrets/store", type="Opaque", data={"access_key": ""})
    found = cluster.check("secret store", secrets=[SECRET])
    assert found.found == "key access_key, endpoint: missing or empty"
    assert found.mend == "add them to the secret in namespace team"


def test_a_pull_secret_of_another_type_is_refused(cluster: Cluster) -> None:
    cluster.put(f"{TEAM}/secrets/pull", type="Opaque", data={".dockerconfigjson": "e30="})
    found = cluster.check(
        "secret pull",
        secrets=[{"place": "tasks.pull_secrets", "name": "pull", "type": PULL, "keys": [".dockerconfigjson"]}],
    )
    assert found.found == f"type Opaque, not {PULL}"
    assert "kubectl create secret docker-registry pull" in found.mend


def test_values_of_secrets_are_not_among_the_facts(cluster: Cluster) -> None:
    cluster.put(f"{TEAM}/secrets/store", type="Opaque", data={"access_key": "a-value-5f1c"})
    needs = ClusterNeeds.model_validate({"profile": "test", "secrets": [SECRET]})
    assert "a-value-5f1c" not in str(gather(needs, "team", cluster.read))


def test_what_may_not_be_read_is_not_judged(cluster: Cluster) -> None:
    cluster.forbid(f"{TEAM}/secrets/store")
    found = cluster.check("secret store", secrets=[SECRET])
    assert found.result == "not checked"
    assert "this account may not read it" in found.found


@pytest.mark.parametrize(
    ("level", "non_root", "says", "fails"),
    [
        ("", False, "Pod Security as the cluster sets it", False),
        ("baseline", False, "Pod Security baseline", False),
        ("restricted", True, "Pod Security restricted", False),
        ("restricted", False, "Pod Security restricted refuses pods that may run as root", True),
    ],
)
def test_pod_security_of_the_namespace(cluster: Cluster, level: str, non_root: bool, says: str, fails: bool) -> None:
    cluster.put(TEAM, metadata={"labels": {"pod-security.kubernetes.io/enforce": level} if level else {}})
    found = cluster.check("namespace team", non_root=non_root)
    assert found.found == says
    assert ("run_as_non_root" in found.mend) == fails


def test_a_namespace_that_is_missing_is_a_failure(cluster: Cluster) -> None:
    del cluster.answers[TEAM]
    assert "kubectl create namespace team" in cluster.check("namespace team").mend


@pytest.mark.parametrize(
    ("body", "says", "mend"),
    [
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound", "capacity": {"storage": "2Ti"}}},
         "Bound, 2Ti, ReadWriteMany", ""),
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Pending"}}, "Pending, ReadWriteMany", ""),
        ({"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Bound"}}, "access modes ReadWriteOnce",
         "make it ReadWriteMany"),
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Lost"}}, "its volume is lost",
         "make it anew"),
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound", "capacity": {"storage": "20Gi"}}},
         "20Gi, 500Gi needed", "enlarge it, or lower preflight.min_free_disk_gib"),
    ],
)  # fmt: skip
def test_the_claim_of_the_cache(cluster: Cluster, body: dict[str, Any], says: str, mend: str) -> None:
    cluster.put(f"{TEAM}/persistentvolumeclaims/cache", **body)
    found = cluster.check("claim cache", claim="cache", scratch_gib=500)
    assert found.found == says
    assert found.mend.startswith(mend)
    assert bool(found.mend) == bool(mend)


def test_a_service_account_that_is_missing_is_a_failure(cluster: Cluster) -> None:
    found = cluster.check("service account runs", service_account="runs")
    assert found.mend == "apply the profile's manifests in namespace team, or correct tasks.service_account"
    cluster.put(f"{TEAM}/serviceaccounts/runs")
    assert not cluster.check("service account runs", service_account="runs").mend


def test_a_class_that_is_missing_is_a_failure(cluster: Cluster) -> None:
    path = "/apis/storage.k8s.io/v1/storageclasses"
    needed = {"place": "tasks.cache.storage_class", "path": path, "name": "nvme"}
    assert (
        cluster.check("class nvme", classes=[needed]).mend
        == "make it, or correct tasks.cache.storage_class in the profile"
    )
    cluster.put(f"{path}/nvme")
    assert not cluster.check("class nvme", classes=[needed]).mend


KEDA = {
    "place": "endpoint.scaling.scaler", "group": "keda.sh", "version": "v1alpha1", "plural": "scaledobjects",
    "mend": "install KEDA",
}  # fmt: skip


def test_a_kind_whose_operator_is_not_installed_is_a_failure(cluster: Cluster) -> None:
    assert (
        cluster.check("scaledobjects.keda.sh", kinds=[KEDA]).line
        == "scaledobjects.keda.sh: not installed: install KEDA"
    )


def test_a_kind_in_other_versions_than_ours_names_them(cluster: Cluster) -> None:
    cluster.put("/apis/keda.sh", versions=[{"version": "v2"}, {"version": "v1"}])
    found = cluster.check("scaledobjects.keda.sh", kinds=[KEDA])
    assert found.found == "v1alpha1 is not served, but v2, v1"
    assert found.mend == "install KEDA"


def test_a_group_without_the_kind_is_a_failure(cluster: Cluster) -> None:
    cluster.put("/apis/keda.sh", versions=[{"version": "v1alpha1"}])
    cluster.put("/apis/keda.sh/v1alpha1", resources=[{"name": "triggerauthentications"}])
    assert cluster.check("scaledobjects.keda.sh", kinds=[KEDA]).found == "keda.sh/v1alpha1 has no scaledobjects"


def test_a_kind_that_is_served_passes(cluster: Cluster) -> None:
    cluster.put("/apis/keda.sh", versions=[{"version": "v1alpha1"}])
    cluster.put("/apis/keda.sh/v1alpha1", resources=[{"name": "scaledobjects"}])
    assert not cluster.check("scaledobjects.keda.sh", kinds=[KEDA]).mend


def test_an_optional_kind_is_silent_where_it_is_not_installed_and_judged_where_it_is(cluster: Cluster) -> None:
    needs = ClusterNeeds.model_validate({"profile": "test", "kinds": [KEDA | {"optional": True}]})
    assert not [f for f in findings(needs, gather(needs, "team", cluster.read)) if "keda" in f.check]
    cluster.put("/apis/keda.sh", versions=[{"version": "v2"}])
    assert cluster.check("scaledobjects.keda.sh", kinds=[KEDA | {"optional": True}]).mend


def test_a_queue_that_is_active_passes_with_its_quota(cluster: Cluster) -> None:
    assert cluster.check("queue gpu", queue="gpu").found == "active, 3 workloads wait"
    found = cluster.check("quota of all", queue="gpu", pools=[GPU_POOL])
    assert (found.found, found.mend) == ("8 nvidia.com/gpu", "")


def test_without_kueue_a_queue_is_a_failure(cluster: Cluster) -> None:
    del cluster.answers[KUEUE]
    found = cluster.check("queue gpu", queue="gpu")
    assert (found.found, found.mend) == ("no Kueue", "install Kueue, or delete tasks.queue from the profile")


def test_a_queue_that_is_missing_is_a_failure(cluster: Cluster) -> None:
    del cluster.answers[QUEUE]
    assert cluster.check("queue gpu", queue="gpu").mend.startswith("make a LocalQueue in namespace team")


def test_a_queue_that_may_not_be_read_is_not_judged(cluster: Cluster) -> None:
    cluster.forbid(QUEUE)
    assert not cluster.check("queue gpu", queue="gpu").judged


def test_a_queue_that_is_not_active_repeats_kueues_reason(cluster: Cluster) -> None:
    cluster.put(QUEUE, spec={"clusterQueue": "all"}, status=active("False", message="clusterQueue doesn't exist"))
    found = cluster.check("queue gpu", queue="gpu")
    assert found.found == "not active: clusterQueue doesn't exist"
    assert found.mend == "see `kubectl describe clusterqueue all`"


def test_a_queue_on_hold_is_a_failure(cluster: Cluster) -> None:
    cluster.put(QUEUE, spec={"clusterQueue": "all", "stopPolicy": "Hold"}, status=active())
    assert cluster.check("queue gpu", queue="gpu").found == "stopPolicy Hold"


@pytest.mark.parametrize(
    ("spec", "says", "fails"),
    [
        (quota("4"), "4 nvidia.com/gpu, 8 needed", True),
        (quota("4", cohort="all"), "4 nvidia.com/gpu", False),
        (quota("4", cohortName="all"), "4 nvidia.com/gpu", False),
        (quota("64", resource="cpu"), "covers no nvidia.com/gpu", True),
    ],
)
def test_a_quota_below_the_largest_task(cluster: Cluster, spec: dict[str, Any], says: str, fails: bool) -> None:
    cluster.put(CLUSTER_QUEUE, spec=spec)
    found = cluster.check("quota of all", queue="gpu", pools=[GPU_POOL])
    assert found.found == says
    assert bool(found.mend) == fails


@pytest.mark.parametrize("status", [0, 401])
def test_a_server_that_nobody_can_ask_is_asked_once_and_is_the_only_finding(cluster: Cluster, status: int) -> None:
    cluster.answers[VERSION] = Answer(status, said="no answer")
    needs = ClusterNeeds.model_validate({"profile": "test", "secrets": [SECRET], "queue": "gpu", "pools": [GPU_POOL]})
    (found,) = findings(needs, gather(needs, "team", cluster.read))
    assert found.check == "API server"
    assert found.mend
    assert cluster.asked == [VERSION]


def test_inside_a_run_only_what_its_start_cannot_have_changed_is_judged() -> None:
    needs = ClusterNeeds.model_validate({
        "profile": "test", "namespaces": ["hexad"], "claim": "cache", "queue": "gpu", "kinds": [KEDA],
        "secrets": [SECRET, {"place": "tasks.pull_secrets", "name": "pull"},
                    {"place": "endpoint.external.key_secret", "name": "key", "namespace": "hexad"}],
        "pools": [GPU_POOL, {"role": "data", "placement": {"cpu": "4"}}],
    })  # fmt: skip
    inside = inside_a_run(needs)
    assert [secret.name for secret in inside.secrets] == ["pull"]
    assert [(pool.role, pool.anywhere) for pool in inside.pools] == [("train", True)]
    assert (inside.namespaces, inside.claim, inside.kinds, inside.queue) == ([], "", [], "gpu")


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", -60.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_skew_is_that_of_the_date_header(date: str, skew: float | None) -> None:
    assert skew_s({"Date": date} if date else {}, NOW) == skew


@pytest.mark.parametrize(
    ("skew", "says", "result"),
    [
        (0.4, "agrees with ours", "ok"),
        (MOST_S, "60 s ahead of ours", "ok"),
        (-MOST_S - 1, "61 s behind ours", "keep both by NTP"),
        (None, "no Date in its answer", "not checked"),
    ],
)
def test_a_clock_that_is_off_is_a_failure(skew: float | None, says: str, result: str) -> None:
    found = clock("the store", skew)
    assert found.found == says
    assert found.result.startswith(result)
