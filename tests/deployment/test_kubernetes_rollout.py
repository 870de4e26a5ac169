"""A roll-out on Kubernetes over real HTTP: what clients reach, what is left, and what each fault ends in."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

kubernetes = pytest.importorskip("kubernetes")

from hexad.deployment.bundle import BUNDLE_LABEL  # noqa: E402
from hexad.deployment.kubernetes_api import Forbidden, KubernetesApi, KubernetesError, path  # noqa: E402
from hexad.deployment.kubernetes_rollout import KubernetesDriver  # noqa: E402
from hexad.deployment.rollout import Outcome, State, StepFailed, Traffic, WatchPolicy, roll_back, roll_out  # noqa: E402
from hexad.storage import StorageError  # noqa: E402

from .api_server import ApiServer, serving  # noqa: E402

SERVICE = "think"
WATCH = WatchPolicy(seconds=2)


def bundle_objects(digest: str, name: str = SERVICE) -> list[dict[str, Any]]:
    """Engine, gateway, a scaler, the bundle's own Service and the one that clients use."""

    def made(version: str, kind: str, component: str, spec: dict[str, Any]) -> dict[str, Any]:
        labels = {BUNDLE_LABEL: digest, "app.kubernetes.io/instance": name, "app.kubernetes.io/component": component}
        return {"apiVersion": version, "kind": kind, "spec": spec,
                "metadata": {"name": f"{name}-{digest}-{component}", "labels": labels}}  # fmt: skip

    return [
        made("apps/v1", "Deployment", "engine", {}),
        made("apps/v1", "Deployment", "gateway", {"replicas": 2}),
        made("keda.sh/v1alpha1", "ScaledObject", "engine", {"maxReplicaCount": 2}),
        made("v1", "Service", "gateway", {"selector": {BUNDLE_LABEL: digest}}),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
         "spec": {"selector": {"app.kubernetes.io/component": "gateway", BUNDLE_LABEL: digest}}},
    ]  # fmt: skip


class Cluster:
    """An API server, and roll-outs on it."""

    def __init__(self, server: ApiServer, url: str) -> None:
        self.server, self.url = server, url
        self.smoke_fails = False
        self.seen = Traffic(requests=50, failures=0)
        self.switched: list[str] = []

    def driver(
        self, digest: str, objects: list[dict[str, Any]] | None = None, switched: Callable[[str], None] | None = None
    ) -> KubernetesDriver:
        def smoke(_: str) -> None:
            if self.smoke_fails:
                raise StepFailed("think:bo3: HTTP 502")

        configuration = kubernetes.client.Configuration(host=self.url)
        configuration.retries = False
        api = KubernetesApi(kubernetes.client.ApiClient(configuration), "models", tries=3, sleep=lambda _: None)
        seconds = itertools.count(step=10.0)
        return KubernetesDriver(
            api, SERVICE, objects or bundle_objects(digest), smoke, lambda _: self.seen,
            switched or self.switched.append, ready_s=100.0, sleep=lambda _: None, clock=lambda: next(seconds),
        )  # fmt: skip

    def roll(self, digest: str) -> Outcome:
        return roll_out(digest, self.driver(digest), WATCH, sleep=lambda _: None)

    @property
    def deployments(self) -> set[str]:
        return self.server.names("deployments")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    server = ApiServer()
    with serving(server) as url:
        yield Cluster(server, url)


@pytest.fixture
def served(cluster: Cluster) -> Cluster:
    """A cluster that serves bundle a."""
    assert cluster.roll("a").live
    cluster.server.requests.clear()
    return cluster


def of(digest: str) -> set[str]:
    return {f"{SERVICE}-{digest}-engine", f"{SERVICE}-{digest}-gateway"}


def test_the_first_bundle_makes_the_service(cluster: Cluster) -> None:
    assert cluster.roll("a").state is State.LIVE
    assert cluster.server.selected(SERVICE) == "a"
    assert cluster.deployments == of("a")


def test_the_next_one_comes_up_beside_it_and_takes_the_clients(served: Cluster) -> None:
    assert served.roll("b").live
    assert served.server.selected(SERVICE) == "b"
    assert served.deployments == of("a") | of("b")
    assert served.switched == ["a", "b"]


def test_the_switch_keeps_what_else_selects_pods(served: Cluster) -> None:
    served.roll("b")
    selector = served.server.objects["services", SERVICE]["spec"]["selector"]
    assert selector == {"app.kubernetes.io/component": "gateway", BUNDLE_LABEL: "b"}


def test_nothing_is_deleted_before_the_next_success(served: Cluster) -> None:
    served.roll("b")
    assert [method for method, _ in served.server.requests if method == "DELETE"] == []
    served.roll("c")
    assert served.deployments == of("b") | of("c")
    assert {name for name in served.server.names("scaledobjects") if "-a-" in name} == set()


def test_another_endpoint_of_the_namespace_is_left_alone(served: Cluster) -> None:
    other = bundle_objects("x", "tiny")
    for made in other[:-1]:
        served.server.put(f"{made['kind'].lower()}s", made)
    for digest in "bcd":
        assert served.roll(digest).live
    assert served.deployments == of("c") | of("d") | {"tiny-x-engine", "tiny-x-gateway"}
    assert "tiny-x-engine" in served.server.names("scaledobjects")


def test_clients_are_switched_only_after_every_deployment_is_ready(served: Cluster) -> None:
    served.server.ready = lambda name: "-b-" not in name
    outcome = served.roll("b")
    assert (outcome.state, served.server.selected(SERVICE)) == (State.REFUSED, "a")
    assert "Deployment/think-b-engine: 0 of 1 pods ready, not within 100 s; see: kubectl" in outcome.reason


def test_a_stalled_deployment_is_not_waited_for(served: Cluster) -> None:
    served.server.ready = lambda name: "-b-" not in name
    served.server.stalled = "ProgressDeadlineExceeded"
    assert "0 of 1 pods ready, ProgressDeadlineExceeded: no" in served.roll("b").reason


def test_a_refused_bundle_gives_its_hardware_back_and_leaves_its_objects_to_look_at(served: Cluster) -> None:
    served.smoke_fails = True
    outcome = served.roll("b")
    assert (outcome.state, outcome.reason) == (State.REFUSED, "think:bo3: HTTP 502")
    replicas = {name: served.server.objects["deployments", name]["spec"]["replicas"] for name in of("a") | of("b")}
    assert {name for name, count in replicas.items() if count == 0} == of("b")
    assert served.server.names("scaledobjects") == {"think-a-engine"}


def test_an_engine_that_kserve_runs_gives_its_hardware_back_too(served: Cluster) -> None:
    """KServe owns its Deployment and would bring it back."""
    engine = bundle_objects("b")[0] | {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
    served.smoke_fails = True
    driver = served.driver("b", objects=[engine, *bundle_objects("b")[1:]])
    assert roll_out("b", driver, WATCH, sleep=lambda _: None).state is State.REFUSED
    assert served.server.names("inferenceservices") == set()


def test_a_refused_bundle_can_be_tried_again(served: Cluster) -> None:
    served.smoke_fails = True
    served.roll("b")
    served.smoke_fails = False
    assert served.roll("b").live
    assert served.server.objects["deployments", "think-b-gateway"]["spec"]["replicas"] == 2


def test_a_high_error_rate_sends_clients_back(served: Cluster) -> None:
    served.seen = Traffic(requests=50, failures=10)
    assert served.roll("b").state is State.ROLLED_BACK
    assert served.server.selected(SERVICE) == "a"
    assert served.switched == ["a", "b", "a"]


def test_a_pointer_that_cannot_be_moved_sends_clients_back(served: Cluster) -> None:
    def down(digest: str) -> None:
        if digest == "b":
            raise StorageError("s3://models/k/current.json: no answer")

    outcome = roll_out("b", served.driver("b", switched=down), WATCH, sleep=lambda _: None)
    assert (outcome.state, outcome.reason) == (State.ROLLED_BACK, "s3://models/k/current.json: no answer")
    assert served.server.selected(SERVICE) == "a"


def test_going_back_by_hand_needs_no_manifest_of_the_old_bundle(served: Cluster) -> None:
    served.roll("b")
    roll_back("a", served.driver("b"))
    assert served.server.selected(SERVICE) == "a"


def test_going_back_to_a_bundle_that_was_removed_is_refused(served: Cluster) -> None:
    served.roll("b")
    served.roll("c")
    with pytest.raises(StepFailed, match="bundle a: no Deployment in namespace models; roll it out anew"):
        roll_back("a", served.driver("c"))
    assert served.server.selected(SERVICE) == "c"


def test_an_api_server_that_is_unwell_for_a_moment_is_asked_again(served: Cluster) -> None:
    answers = itertools.cycle([503, 500, None])
    served.server.fault = lambda method, path: next(answers)
    assert served.roll("b").live


def test_an_api_server_that_stays_unwell_leaves_clients_where_they_are(served: Cluster) -> None:
    served.server.fault = lambda method, path: 500 if method == "PATCH" and "-b-" in path else None
    outcome = served.roll("b")
    assert outcome.state is State.REFUSED
    assert "HTTP 500" in outcome.reason
    assert served.server.selected(SERVICE) == "a"


def test_a_right_that_is_missing_is_named_and_not_asked_for_again(cluster: Cluster) -> None:
    cluster.server.fault = lambda method, path: 403 if method == "PATCH" else None
    with pytest.raises(Forbidden, match=r"deployments/think-a-engine: HTTP 403: .*; give this account the right"):
        cluster.driver("a").start("a")
    assert len(cluster.server.requests) == 1


def test_a_service_that_somebody_edits_meanwhile_is_read_again(served: Cluster) -> None:
    edits = iter(["label"])

    def edit() -> None:
        for label in edits:
            service = served.server.objects["services", SERVICE]
            service["metadata"]["labels"] = {label: "x"}
            served.server.put("services", service)

    served.server.before_write = edit
    assert served.roll("b").live
    service = served.server.objects["services", SERVICE]
    assert (service["metadata"]["labels"], served.server.selected(SERVICE)) == ({"label": "x"}, "b")


def test_two_roll_outs_at_once_do_not_both_win(served: Cluster) -> None:
    rivals = iter(["z"])

    def rival() -> None:
        for digest in rivals:
            service = served.server.objects["services", SERVICE]
            service["spec"]["selector"][BUNDLE_LABEL] = digest
            served.server.put("services", service)

    served.server.before_write = rival
    outcome = served.roll("b")
    assert outcome.state is State.STUCK
    assert "another roll-out sent clients to z meanwhile; wait for its end" in outcome.reason
    assert served.server.selected(SERVICE) == "z"


def test_no_server_at_all_is_one_line_with_the_address(cluster: Cluster) -> None:
    cluster.url = "http://127.0.0.1:9"
    with pytest.raises(KubernetesError, match=r"GET /api/v1/namespaces/models/services/think: .*kubeconfig") as caught:
        cluster.driver("a").current()
    assert "\n" not in str(caught.value)


def test_an_object_without_the_bundle_s_label_is_refused(cluster: Cluster) -> None:
    objects = bundle_objects("a")
    del objects[0]["metadata"]["labels"][BUNDLE_LABEL]
    with pytest.raises(ValueError, match=r"Deployment/think-a-engine: no label hexad\.dev/bundle"):
        KubernetesDriver(KubernetesApi(kubernetes.client.ApiClient(), "models"), SERVICE, objects, lambda _: None)


@pytest.mark.parametrize(
    ("kind", "plural"),
    [("Deployment", "deployments"), ("NetworkPolicy", "networkpolicies"), ("Gateway", "gateways"),
     ("Ingress", "ingresses"), ("InferenceService", "inferenceservices")],
)  # fmt: skip
def test_plurals(kind: str, plural: str) -> None:
    assert path("g.dev/v1", kind, "n", "x") == f"/apis/g.dev/v1/namespaces/n/{plural}/x"
