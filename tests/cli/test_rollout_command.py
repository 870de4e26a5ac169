"""`hexad rollout --objects`: the objects that `hexad manifests` writes are rolled out as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from tests.deployment.api_server import ApiServer, serving
from tests.deployment.bundles import committed
from tests.deployment.plans import plan
from tests.gateway.upstream import Engine, serve
from typer.testing import CliRunner

pytest.importorskip("kubernetes")

from hexad.cli.main import app
from hexad.cli.rollout_command import Cluster
from hexad.deployment.cluster.kustomization import dump
from hexad.deployment.cluster.objects import endpoint_objects
from hexad.deployment.cluster.plan import Plan
from hexad.deployment.front import Front
from hexad.deployment.pointer import read_pointer
from hexad.gateway.config import GatewayConfig
from hexad.records import Manifest
from hexad.storage import open_store

NAME, SERVICE = "k2.think", "k2-think"


def planned(bundle: Manifest) -> Plan:
    """The example on GKE, for another bundle and under another name."""
    found = plan("gke")
    reference = found.endpoint.bundle.model_copy(update={"digest": bundle.digest})
    endpoint = found.endpoint.model_copy(update={"name": SERVICE, "bundle": reference})
    return Plan(endpoint, found.site, found.engine, found.gateway, found.store_secret)


@pytest.fixture
def bundle(tmp_path: Path) -> Manifest:
    return committed(tmp_path / "source", f"file://{tmp_path}/runs/serve/1", name=NAME)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    server = ApiServer()
    with serving(server) as url:
        file = tmp_path / "kubeconfig"
        file.write_text(
            "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
            f"clusters: [{{name: a, cluster: {{server: '{url}'}}}}], users: [{{name: a, user: {{}}}}]}}"
        )
        for module in ("kubernetes.config", "kubernetes.config.kube_config"):
            monkeypatch.setattr(f"{module}.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        yield server


@pytest.fixture
def gateway() -> Iterator[str]:
    """URL of a gateway that serves the name of the endpoint."""
    with Front() as front, serve(Engine().app()) as engine_url:
        config = {"model": SERVICE, "engine_url": engine_url, "engine_model": "m"}
        with front.listening("127.0.0.1", 0, front.mount("x", GatewayConfig.model_validate(config))) as url:
            yield url


def rollout(bundle: Manifest, tmp_path: Path, text: str, *more: str) -> Result:
    objects = tmp_path / "objects.yaml"
    objects.write_text(text)
    return CliRunner().invoke(app, [
        "rollout", bundle.uri, "--name", NAME, "--store", f"file://{tmp_path}/store", "--objects", str(objects),
        "--watch", "0", *more,
    ])  # fmt: skip


def test_the_objects_of_hexad_manifests_are_rolled_out_as_they_are(
    bundle: Manifest, cluster: ApiServer, gateway: str, tmp_path: Path
) -> None:
    text = "---\n".join(map(dump, endpoint_objects(planned(bundle))))
    done = rollout(bundle, tmp_path, text, "--gateway-url", gateway)
    assert done.exit_code == 0, done.output
    assert cluster.selected(SERVICE) == bundle.short
    pointer = read_pointer(open_store(bundle.uri), f"file://{tmp_path}/store/bundles/{NAME}")
    assert pointer is not None
    assert pointer.digest == bundle.short


def test_a_bundle_s_gateway_is_asked_under_the_name_of_its_own_service(bundle: Manifest) -> None:
    found = planned(bundle)
    cluster = Cluster(Path("objects.yaml"), SERVICE, found.site.namespace)
    assert cluster.gateway(bundle.short) == f"http://{found.name('gateway')}.{found.site.namespace}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: {", "objects.yaml: while parsing"),
        ("just text", "objects.yaml: holds no Kubernetes objects; write it with: kubectl kustomize"),
        ("{apiVersion: v1, kind: Namespace, metadata: {name: hexad}}", "Namespace/hexad: no label hexad.dev/bundle"),
    ],
    ids=["no YAML", "no objects", "no label"],
)
def test_a_file_that_cannot_be_rolled_out_ends_with_two_before_anything_is_published(
    text: str, says: str, bundle: Manifest, cluster: ApiServer, tmp_path: Path
) -> None:
    done = rollout(bundle, tmp_path, text)
    assert (done.exit_code, says in done.output) == (2, True), done.output
    assert not (tmp_path / "store").exists()
    assert cluster.objects == {}


def test_a_cluster_that_does_not_answer_ends_with_one_and_one_line(
    bundle: Manifest, cluster: ApiServer, tmp_path: Path
) -> None:
    cluster.fault = lambda method, path: 403
    done = rollout(bundle, tmp_path, "---\n".join(map(dump, endpoint_objects(planned(bundle)))))
    assert done.exit_code == 1
    assert "HTTP 403" in done.output.splitlines()[-1]
