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


@dataclass(frozen=True)
class Cluster:
    """Where on Kubernetes: the file of objects, and how the endpoint is reached."""

    objects: Path
    service: str
    namespace: str
    gateway_url: str


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
    store, place = open_store(store_uri), bundles_place(store_uri, name)
    digest = publish(source, store, place)
    say(f"{place}/{digest}: published")
    driver = _driver(name, store_uri, url, cluster)
    try:
        with interruptible():
            outcome = roll_out(digest, driver, WatchPolicy(seconds=watch), lambda state, _: say(f"{digest}: {state}"))
    except KeyboardInterrupt:
        if driver.current() != digest:
            driver.drop(digest)
        say(f"interrupted; {place}/current.json and the server at {url} say which bundle is served", error=True)
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
    objects = [found for found in yaml.safe_load_all(cluster.objects.read_text()) if found]
    return KubernetesDriver(
        KubernetesApi(client.ApiClient(), cluster.namespace),
        cluster.service,
        objects,
        partial(_smoke, name, cluster.gateway_url),
        lambda digest: count(cluster.gateway_url.format(digest=digest)),
        lambda digest: point_at(store, place, digest, who, before),
    )


def _smoke(name: str, gateway_url: str, digest: str) -> None:
    from hexad.deployment.rollout import StepFailed
    from hexad.deployment.smoke import SmokeTestFailed, smoke_test

    try:
        smoke_test(gateway_url.format(digest=digest), name, 128, key=os.environ.get("HEXAD_API_KEY"))
    except SmokeTestFailed as error:
        raise StepFailed(str(error)) from error
