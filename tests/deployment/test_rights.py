"""Rights on the Kubernetes API, verb by verb: Roles grant what the table rights.jsonl says, and the table no more than
what is asked for. What a submitter asks for is in tests/submission/test_rights.py.
"""

import importlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

kubernetes = pytest.importorskip("kubernetes")

from hexad.cli.inputs import profile_from  # noqa: E402
from hexad.deployment.cluster.objects import endpoint_objects  # noqa: E402
from hexad.deployment.kubernetes_api import KubernetesApi  # noqa: E402
from hexad.deployment.kubernetes_rollout import KubernetesDriver  # noqa: E402
from hexad.deployment.rollout import StepFailed, Traffic, WatchPolicy, roll_back, roll_out  # noqa: E402
from hexad.platform.rights import named, rights  # noqa: E402

from .api_server import ApiServer, Object, serving  # noqa: E402
from .kustomize import build  # noqa: E402
from .plans import CLUSTERS, ROOT, plan  # noqa: E402
from .test_objects import another_bundle  # noqa: E402

Grant = tuple[str, str, str, str, tuple[str, ...]]
"""Account, verb, group, resource, names of objects (none: all)."""

PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/\w+/namespaces/[^/]+/(?P<plural>\w+)(?:/(?P<name>[^/]+))?")
SITES = [("gke", "none"), ("onprem-gpu", "none"), ("onprem-gpu", "InferenceService"), ("gke", "LLMInferenceService")]
"""Profile and KServe's kind of engine: together every kind of object that an endpoint may have."""


def granted(objects: list[dict[str, Any]]) -> Iterator[Grant]:
    """What the Roles and RoleBindings among `objects` let service accounts do."""
    roles = {made["metadata"]["name"]: made for made in objects if made["kind"] == "Role"}
    for binding in (made for made in objects if made["kind"] == "RoleBinding"):
        role = roles.pop(binding["roleRef"]["name"])
        assert role["metadata"]["namespace"] == binding["metadata"]["namespace"]
        for subject, rule in itertools.product(binding["subjects"], role["rules"]):
            assert subject["kind"] == "ServiceAccount"
            assert subject["namespace"] == binding["metadata"]["namespace"]
            assert set(rule) <= {"apiGroups", "resources", "resourceNames", "verbs"}
            for group, resource, verb in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"]):
                yield subject["name"], verb, group, resource, tuple(rule.get("resourceNames", ()))
    assert not roles, f"Roles without a binding: {sorted(roles)}"


def rows(cluster: str) -> Iterator[Grant]:
    """The table, with a profile's names in it; what the profile has no object for is left out."""
    profile = profile_from(str(ROOT / "profiles" / f"{cluster}.yaml"))
    for right in rights():
        names = named(right, profile)
        if names is not None:
            yield right.account, right.verb, right.group, right.resource, names


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_roles_of_an_overlay_grant_the_table_and_nothing_more(cluster: str, kubectl: Path) -> None:
    objects = list(yaml.safe_load_all(build(kubectl, ROOT / "manifests" / "overlays" / cluster)))
    assert Counter(granted(objects)) == Counter(rows(cluster))
    assert not [made for made in objects if made["kind"].startswith("ClusterRole")]
    accounts = {made["metadata"]["name"] for made in objects if made["kind"] == "ServiceAccount"}
    assert {right.account for right in rights()} <= accounts


def test_no_row_is_a_wildcard_or_stands_twice() -> None:
    assert max(Counter(rows("gke")).values()) == 1
    assert len(list(rows("gke"))) == len(rights())
    assert not [right for right in rights() if "*" in (right.verb, right.group, right.resource, *right.names)]


@pytest.mark.parametrize("resource", ["secrets", "configmaps"])
def test_a_run_reads_one_secret_and_one_config_map_by_name(resource: str) -> None:
    found = [right for right in rights() if right.resource == resource and right.verb not in ("create", "patch")]
    read = [right.names for right in found if right.account == "hexad-pipeline"]
    assert read == [["{launcher_secret}"] if resource == "secrets" else ["kfp-launcher"]]
    assert all(right.account == "hexad-rollout" and resource == "configmaps" for right in found if not right.names)


@pytest.mark.parametrize(
    "resource", ["roles", "rolebindings", "clusterroles", "pods/exec", "serviceaccounts/token", "nodes", "namespaces"]
)
def test_nobody_gets_a_right_by_which_rights_grow(resource: str) -> None:
    assert resource not in {right.resource for right in rights()}
    assert not {right.verb for right in rights()} & {"impersonate", "bind", "escalate", "deletecollection"}


def test_what_a_row_names_as_asking_is_a_function_of_ours_or_somebody_else() -> None:
    ours = [right.by for right in rights() if right.by.startswith("hexad.")]
    assert all(map(callable, map(resolved, ours)))
    assert {right.by for right in rights()} - set(ours) == {"Argo's executor", "Kubeflow's driver and launcher"}
    assert {right.account for right in rights() if right.by not in ours} == {"hexad-pipeline"}


def test_names_that_a_profile_does_not_have_grant_nothing() -> None:
    assert {resource for _, _, _, resource, _ in rows("kind")} & {"localqueues", "persistentvolumeclaims"} == set()
    assert ("hexad-pipeline", "get", "kueue.x-k8s.io", "localqueues", ("hexad",)) in set(rows("gke"))
    assert ("hexad-submitter", "get", "", "persistentvolumeclaims", ("hexad-cache",)) in set(rows("gke"))


def resolved(name: str) -> Callable[..., object]:
    """The function or method of a dotted path."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]
    raise LookupError(name)


class Recorder(ApiServer):
    """Notes what authorization would ask for each request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[tuple[str, str, str]] = set()

    def handle(self, method: str, target: str, type_: str, body: Object) -> tuple[int, Object]:
        found = PATH.fullmatch(urlsplit(target).path)
        assert found is not None
        group, plural, name = found["group"] or "", found["plural"], found["name"]
        verb = {"GET": "get" if name else "list", "PATCH": "patch", "DELETE": "delete"}[method]
        self.asked.add((verb, group, plural))
        if type_ == "application/apply-patch+yaml" and (plural, name) not in self.objects:
            # The API server asks for it as well when an applied object is new.
            self.asked.add(("create", group, plural))
        return super().handle(method, target, type_, body)


@cache
def rolled_out(cluster: str, kserve: str) -> frozenset[tuple[str, str, str]]:
    """What a service account is asked for by three roll-outs, one that fails, a second try and a way back."""
    server = Recorder()
    first = plan(cluster) if kserve == "none" else plan(cluster, kserve=kserve, scaling={})
    digests = ["0" * 64, "1" * 64, "2" * 64, "3" * 64]
    bundles = {d[:16]: [*endpoint_objects(another_bundle(first, d))] for d in digests}
    with serving(server) as url:
        configuration = kubernetes.client.Configuration(host=url)
        api = KubernetesApi(kubernetes.client.ApiClient(configuration), first.site.namespace, sleep=lambda _: None)

        def driver(digest: str, smoke: Callable[[str], None] = lambda _: None) -> KubernetesDriver:
            traffic = Traffic(requests=50, failures=0)
            return KubernetesDriver(
                api, first.endpoint.name, bundles[digest], smoke, lambda _: traffic, poll_s=0, sleep=lambda _: None
            )

        def fails(_: str) -> None:
            raise StepFailed("on purpose")

        a, b, c, d = bundles
        for digest in (a, b, c):
            assert roll_out(digest, driver(digest), WatchPolicy(seconds=1), sleep=lambda _: None).live
        assert not roll_out(d, driver(d, fails), WatchPolicy(seconds=1), sleep=lambda _: None).live
        assert roll_out(d, driver(d), WatchPolicy(seconds=1), sleep=lambda _: None).live
        roll_back(c, driver(d))
    return frozenset(server.asked)


@pytest.mark.parametrize(("cluster", "kserve"), SITES)
def test_a_roll_out_asks_for_nothing_that_its_account_may_not(cluster: str, kserve: str) -> None:
    assert rolled_out(cluster, kserve) - rollout_rights() == set()


def test_every_right_of_a_roll_out_is_used() -> None:
    assert set().union(*(rolled_out(*site) for site in SITES)) == rollout_rights()


def rollout_rights() -> set[tuple[str, str, str]]:
    return {(right.verb, right.group, right.resource) for right in rights() if right.account == "hexad-rollout"}
