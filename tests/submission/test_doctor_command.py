"""`hexad doctor --profile`: real HTTP to a stub of Kubernetes and of an image registry, a real store on disk."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from stub_kubeflow import TOKEN, Fault, StubKubeflow
from stub_registry import PASSWORD, StubRegistry, serving
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.records import Provenance
from hexad.storage import commit_tree, open_store

TEAM = "/api/v1/namespaces/team"
DIGEST = "sha256:" + "1f" * 32
MONITORS = "/apis/monitoring.coreos.com"
KUEUE = "/apis/kueue.x-k8s.io"
SECRET_VALUE = "a-value-that-nobody-prints-77d1"


@pytest.fixture(autouse=True)
def surroundings(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare(stub, kubeconfig, monkeypatch, tmp_path)


def prepare(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder of its own, a kubeconfig, and a cluster in which nothing is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.delenv("HEXAD_S3_ENDPOINT", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig()))
    ready(stub)


@pytest.fixture
def registry() -> Iterator[StubRegistry]:
    with serving(StubRegistry(images={("hexad/train", DIGEST)})) as running:
        yield running


def ready(stub: StubKubeflow) -> None:
    """A cluster in which nothing is missing."""
    put = stub.objects
    put["/version"] = {"gitVersion": "v1.34.1"}
    put[TEAM] = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    put["/api/v1/namespaces/hexad"] = {"metadata": {}}
    for namespace in ("team", "hexad"):
        put[f"/api/v1/namespaces/{namespace}/secrets/hexad-store"] = secret(
            endpoint="x", access_key="x", secret_key="x"
        )
    put[f"{TEAM}/persistentvolumeclaims/hexad-cache"] = {
        "spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound", "capacity": {"storage": "2Ti"}},
    }  # fmt: skip
    put["/api/v1/nodes"] = {"items": [node("gpu-1", "8")]}
    put[MONITORS] = {"versions": [{"version": "v1"}]}
    put[f"{MONITORS}/v1"] = {"resources": [{"name": "servicemonitors"}]}
    put[KUEUE] = {"preferredVersion": {"version": "v1beta2"}}
    put[f"{KUEUE}/v1beta2/namespaces/team/localqueues/hexad"] = {
        "spec": {"clusterQueue": "all"}, "status": {"conditions": [{"type": "Active", "status": "True"}]},
    }  # fmt: skip
    flavor = {"name": "h100", "resources": [{"name": "nvidia.com/gpu", "nominalQuota": "16"}]}
    put[f"{KUEUE}/v1beta2/clusterqueues/all"] = {"spec": {"resourceGroups": [{"flavors": [flavor]}]}}


def secret(type_: str = "Opaque", **values: str) -> dict[str, Any]:
    return {"type": type_, "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def node(name: str, accelerators: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"pool": "gpu"}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": "96", "memory": "1Ti", "nvidia.com/gpu": accelerators},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def profile(registry: StubRegistry | None = None, **changes: Any) -> str:
    """A file with a profile that the cluster of `ready` serves."""
    image = f"{registry.host if registry else 'registry.example.com'}/hexad/train@{DIGEST}"
    made = {
        "name": "test", "store": f"file://{Path.cwd()}/store", "store_secret": "hexad-store",
        "images": {"base": image, "train": image},
        "placement": {"train": {"cpu": "64", "accelerator": "nvidia.com/gpu", "accelerators": 8,
                                "node_selector": {"pool": "gpu"}}},
        "tasks": {"run_as_non_root": True, "queue": "hexad", "cache": {"claim": "hexad-cache"}},
        "endpoint": {"allow_anonymous": True, "monitoring": {}},
        **changes,
    }  # fmt: skip
    Path("profile.yaml").write_text(yaml.safe_dump(made))
    return "profile.yaml"


def doctor(*more: str, profile_file: str = "") -> Result:
    arguments = ["doctor", "--profile", profile_file or profile(), "--namespace", "team", *more]
    done = CliRunner().invoke(app, arguments)
    assert TOKEN not in done.output
    assert PASSWORD not in done.output
    assert SECRET_VALUE not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def failures(done: Result) -> list[str]:
    return done.stderr.splitlines()


def test_a_cluster_that_is_ready_ends_with_0() -> None:
    done = doctor()
    assert failures(done) == []
    assert done.exit_code == 0
    for check in (
        "API server", "clock of the API server", "namespace team", "secret hexad-store", "claim hexad-cache",
        "servicemonitors.monitoring.coreos.com", "nodes for train", "queue hexad", "quota of all", "images",
    ):  # fmt: skip
        assert check in done.stdout


def test_every_failure_is_one_line_with_its_mend_and_all_are_told_at_once(stub: StubKubeflow) -> None:
    del stub.objects[f"{TEAM}/secrets/hexad-store"]
    del stub.objects[MONITORS], stub.objects[f"{MONITORS}/v1"]
    stub.objects["/api/v1/nodes"] = {"items": [node("gpu-1", "4")]}
    done = doctor()
    assert done.exit_code == 1
    assert failures(done) == [
        "secret hexad-store: missing: make it in namespace team, or correct store_secret in the profile",
        "servicemonitors.monitoring.coreos.com: not installed: install the Prometheus operator, or delete "
        "endpoint.monitoring",
        "nodes for train: nvidia.com/gpu: 4 on gpu-1 is the most, 8 needed: lower placement.train.accelerators, or "
        "choose larger nodes",
    ]


def test_what_the_account_may_not_read_is_told_and_is_no_failure(stub: StubKubeflow) -> None:
    stub.forbidden |= {"nodes", "secrets"}
    done = doctor()
    assert done.exit_code == 0
    assert "GET /api/v1/nodes: HTTP 403; this account may not read it" in done.stdout
    assert done.stdout.count("not checked") == 3


def test_credentials_that_the_server_does_not_know_are_the_only_finding(stub: StubKubeflow) -> None:
    stub.token = "another"
    done = doctor()
    assert done.exit_code == 1
    assert failures(done) == ["API server: GET /version: HTTP 401: log in again"]


def test_an_answer_that_the_server_fails_to_give_is_no_failure(stub: StubKubeflow) -> None:
    stub.faults.append(Fault("GET", "/api/v1/nodes", 1, status=503))
    done = doctor()
    assert done.exit_code == 0
    assert "GET /api/v1/nodes: HTTP 503" in done.stdout


def test_a_server_that_is_down_is_the_only_finding_of_the_cluster(
    stub: StubKubeflow, kubeconfig: Callable[[], Path]
) -> None:
    stub.host = "http://127.0.0.1:1"
    kubeconfig()
    done = doctor()
    assert done.exit_code == 1
    (line,) = failures(done)
    assert line.startswith("API server: no answer from http://127.0.0.1:1 (")
    assert line.endswith("): check the kubeconfig's address and your network")


def test_a_clock_that_is_off_is_a_failure(stub: StubKubeflow) -> None:
    stub.clock_s = -3600
    done = doctor()
    assert done.exit_code == 1
    assert re.match(r"clock of the API server: 360\d s behind ours: keep both by NTP", failures(done)[0])


def test_values_of_secrets_are_never_printed(stub: StubKubeflow) -> None:
    stub.objects[f"{TEAM}/secrets/hexad-store"] = secret(endpoint=SECRET_VALUE, access_key=SECRET_VALUE)
    done = doctor()
    assert failures(done) == [
        "secret hexad-store: key secret_key: missing or empty: add it to the secret in namespace team"
    ]


def test_placeholders_and_tags_are_failures() -> None:
    zeros = "hexad/train@sha256:" + "0" * 64
    assert "images: placeholders for train" in doctor(profile_file=profile(images={"train": zeros})).stderr
    assert "images: tags that can move for train" in doctor(profile_file=profile(images={"train": "a/b:1"})).stderr
    allowed = profile(images={"train": "a/b:1"}, mutable_images=True)
    assert doctor(profile_file=allowed).exit_code == 0


def test_a_store_that_only_the_cluster_knows_is_left_to_the_run() -> None:
    done = doctor(profile_file=profile(store="s3://hexad"))
    assert done.exit_code == 0
    assert "HEXAD_S3_ENDPOINT is not set here; the run's preflight tries it from its pod" in done.stdout


def test_trees_that_a_recipe_starts_from_must_be_in_the_store(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/store/model"
    recipe = {"name": "test", "curate": {"base": {"path": uri}}, "preflight": {"min_free_disk_gib": 4000}}
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))
    done = doctor("--recipe", "recipe.yaml")
    assert f"tree {uri}: missing: put it there: hexad put FOLDER {uri}" in failures(done)
    assert any(line.startswith("claim hexad-cache: 2Ti, 4000Gi needed") for line in failures(done))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    commit_tree(open_store(uri), tmp_path / "model", uri, Provenance(stage="put"), {})
    assert "1 files, 0.0 GB" in doctor("--recipe", "recipe.yaml").stdout


def test_a_profile_of_one_machine_ends_with_2() -> None:
    done = doctor(profile_file="local")
    assert done.exit_code == 2
    assert "is of one machine, not of a cluster; leave out --profile" in done.stderr


def test_without_a_kubeconfig_it_ends_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    done = doctor()
    assert done.exit_code == 2
    assert "kubeconfig: none; set KUBECONFIG" in done.stderr


def pull_secret(host: str, password: str = PASSWORD) -> dict[str, Any]:
    entry = {"auths": {f"https://{host}/v1/": {"username": "robot", "password": password}}}
    return secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": json.dumps(entry)})


def with_pull_secret(stub: StubKubeflow, registry: StubRegistry, **options: str) -> str:
    for place in (TEAM, "/api/v1/namespaces/hexad"):  # of runs, and of endpoints
        stub.objects[f"{place}/secrets/pull"] = pull_secret(registry.host, **options)
    return profile(registry, tasks={"pull_secrets": ["pull"], "run_as_non_root": True})


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", ""])
def test_images_are_found_with_the_pull_secrets_login(stub: StubKubeflow, registry: StubRegistry, scheme: str) -> None:
    registry.scheme = scheme
    done = doctor("--pull", profile_file=with_pull_secret(stub, registry))
    assert failures(done) == []
    assert f"in {registry.host}" in done.stdout
    assert [method for method, _ in registry.asked if method != "GET"] == ["HEAD"] * (2 if scheme else 1)


def test_endpoints_need_the_pull_secret_in_their_own_namespace(stub: StubKubeflow, registry: StubRegistry) -> None:
    file = with_pull_secret(stub, registry)
    del stub.objects["/api/v1/namespaces/hexad/secrets/pull"]
    assert failures(doctor(profile_file=file)) == [
        "secret pull: missing: make it in namespace hexad, or correct tasks.pull_secrets in the profile"
    ]


def test_an_image_that_was_not_pushed_is_a_failure(stub: StubKubeflow, registry: StubRegistry) -> None:
    registry.images.clear()
    done = doctor("--pull", profile_file=with_pull_secret(stub, registry))
    assert failures(done) == [
        f"pull {registry.host}/hexad/train: {DIGEST}: not in {registry.host}: "
        "push it (`make images PUSH=1`), or correct `images` in the profile"
    ]


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_login_that_is_refused_is_a_failure(stub: StubKubeflow, registry: StubRegistry, scheme: str) -> None:
    registry.scheme = scheme
    done = doctor("--pull", profile_file=with_pull_secret(stub, registry, password="old"))
    (line,) = failures(done)
    assert f"{registry.host} refuses the login (HTTP 401)" in line
    assert "secret of tasks.pull_secrets that may read hexad/train" in line


def test_a_private_registry_without_a_pull_secret_is_a_failure(registry: StubRegistry) -> None:
    (line,) = failures(doctor("--pull", profile_file=profile(registry)))
    assert f"{registry.host} wants a login (HTTP 401)" in line


def test_a_login_goes_to_no_token_server_without_encryption(stub: StubKubeflow, registry: StubRegistry) -> None:
    registry.realm = "http://tokens.example.com/token"
    done = doctor("--pull", profile_file=with_pull_secret(stub, registry))
    assert "refuses the login (HTTP 401)" in done.stderr
    assert [method for method, _ in registry.asked] == ["HEAD"]


def test_a_registry_that_cannot_be_reached_from_here_is_not_judged(stub: StubKubeflow, registry: StubRegistry) -> None:
    file = with_pull_secret(stub, registry)
    text = Path(file).read_text().replace(registry.host, "127.0.0.1:1")
    Path(file).write_text(text)
    done = doctor("--pull", profile_file=file)
    assert done.exit_code == 0
    assert "127.0.0.1:1 does not answer here" in done.stdout


def test_a_pull_secret_that_holds_no_configuration_is_a_failure(stub: StubKubeflow, registry: StubRegistry) -> None:
    file = with_pull_secret(stub, registry)
    broken = secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": SECRET_VALUE})
    stub.objects[f"{TEAM}/secrets/pull"] = broken
    assert "secret pull: is no Docker configuration with `auths`: make it anew" in failures(
        doctor("--pull", profile_file=file)
    )
