"""rollout: a new bundle takes the place of the one that is served, here or on a cluster."""

import getpass
import os
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from hexad.cli.inputs import refuse, say
from hexad.cli.serve_command import bundle_uri
from hexad.storage import BadStoreUri, StorageError, open_store

GATEWAY_URL = "http://{service}-{digest}-gateway.{namespace}"
"""Where `hexad manifests` puts a bundle's own gateway, as pods of the cluster reach it."""


@dataclass(frozen=True)
class Cluster:
    """Where on Kubernetes: the file of objects, and how the endpoint is reached."""

    objects: Path
    service: str
    """Service that clients use; the gateway serves its model under this name too."""
    namespace: str
    gateway_url: str = GATEWAY_URL

    def gateway(self, digest: str) -> str:
        """URL of a bundle's own gateway."""
        url = self.gateway_url
        for name, value in (("service", self.service), ("digest", digest), ("namespace", self.namespace)):
            url = url.replace(f"{{{name}}}", value)
        return url


def rollout(
    bundle: str | None, name: str, store_uri: str, back: bool, url: str, watch: float, cluster: Cluster | None
) -> int:
    if back == (bundle is not None):
        raise refuse("give a BUNDLE to roll out, or --back to return to the one before, and not both")
    from hexad.deployment.pointer import NoBundle

    try:
        if bundle is None:
            return _roll_back(name, store_uri, url, cluster)
        with bundle_uri(bundle) as uri:
            return _roll_out(uri, name, store_uri, url, watch, cluster)
    except (BadStoreUri, NoBundle) as error:
        raise refuse(str(error)) from error
    except StorageError as error:
        say(str(error), error=True)
        return 1


def _roll_out(uri: str, name: str, store_uri: str, url: str, watch: float, cluster: Cluster | None) -> int:
    from hexad.deployment.machine import interruptible
    from hexad.deployment.pointer import bundles_place, find_bundle, publish
    from hexad.deployment.rollout import WatchPolicy, roll_out

    if "://" not in uri:
        raise refuse(f"{uri}: a folder has no manifest to check; give the run's folder or a store URI")
    source = find_bundle(open_store(uri), uri)
    driver = _driver(name, store_uri, url, cluster)
    place = bundles_place(store_uri, name)
    digest = publish(source, open_store(store_uri), place)
    say(f"{place}/{digest}: published")
    try:
        try:
            with interruptible():
                outcome = roll_out(digest, driver, WatchPolicy(seconds=watch), lambda at, _: say(f"{digest}: {at}"))
        except KeyboardInterrupt:
            if driver.current() != digest:
                driver.drop(digest)
            say(f"interrupted; {place}/current.json and the server at {url} say which bundle is served", error=True)
            return 1
    except driver.errors as error:
        say(f"{digest}: {error}", error=True)
        return 1
    if outcome.reason:
        say(f"{digest}: {outcome.reason}", error=True)
    return 0 if outcome.live else 1


def _roll_back(name: str, store_uri: str, url: str, cluster: Cluster | None) -> int:
    from hexad.deployment.pointer import bundles_place, read_pointer
    from hexad.deployment.rollout import StepFailed, roll_back

    place = bundles_place(store_uri, name)
    pointer = read_pointer(open_store(store_uri), place)
    if pointer is None or pointer.previous is None:
        raise refuse(f"{place}/current.json: names no bundle before the current one")
    driver = _driver(name, store_uri, url, cluster)
    try:
        roll_back(pointer.previous, driver)
    except (StepFailed, *driver.errors) as error:
        say(f"{pointer.previous}: {error}", error=True)
        return 1
    say(f"{pointer.previous}: served again, instead of {pointer.digest}")
    return 0


def _driver(name: str, store_uri: str, url: str, cluster: Cluster | None) -> Any:
    from hexad.deployment.machine import cache_folder
    from hexad.deployment.pointer import bundles_place

    store, place = open_store(store_uri), bundles_place(store_uri, name)
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    if cluster is None:
        from hexad.deployment.local_rollout import LocalDriver

        return LocalDriver(store, place, url, cache_folder(os.environ) / "logs" / f"{name}-trial", who, say)
    from kubernetes import client, config

    from hexad.deployment.kubernetes_api import KubernetesApi
    from hexad.deployment.kubernetes_rollout import KubernetesDriver
    from hexad.deployment.local_rollout import count
    from hexad.deployment.pointer import point_at, read_pointer

    try:
        config.load_config()
    except config.ConfigException as error:
        raise refuse(f"kubeconfig: {error}; set KUBECONFIG, or run inside the cluster") from error
    before = read_pointer(store, place)
    try:
        return KubernetesDriver(
            KubernetesApi(client.ApiClient(), cluster.namespace),
            cluster.service,
            _objects(cluster.objects),
            partial(_smoke, cluster),
            lambda digest: count(cluster.gateway(digest)),
            lambda digest: point_at(store, place, digest, who, before),
        )
    except ValueError as error:
        raise refuse(f"{cluster.objects}: {error}") from error


def _objects(file: Path) -> list[dict[str, Any]]:
    try:
        found = [made for made in yaml.safe_load_all(file.read_text()) if made]
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    if not found or not all(
        isinstance(made, dict) and {"apiVersion", "kind", "metadata"} <= made.keys() for made in found
    ):
        raise ValueError(f"holds no Kubernetes objects; write it with: kubectl kustomize FOLDER > {file}")
    return found


def _smoke(cluster: Cluster, digest: str) -> None:
    from hexad.deployment.rollout import StepFailed
    from hexad.deployment.smoke import ENOUGH_TOKENS, SmokeTestFailed, smoke_test

    try:
        smoke_test(cluster.gateway(digest), cluster.service, ENOUGH_TOKENS, key=os.environ.get("HEXAD_API_KEY"))
    except SmokeTestFailed as error:
        raise StepFailed(str(error)) from error
