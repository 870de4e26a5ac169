"""The Kubernetes side of a run: its pods, their logs, and what its tasks started beside themselves."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes import client, config

from hexad.stage.context import RUN_LABEL
from hexad.submission.pods import RUN_SELECTOR, Pod, is_driver, pod_stage

_TIMEOUT_S = 30
_CONTAINER = "main"
_NO_LOG = (400, 404)  # 400: the container has not started


@dataclass(frozen=True)
class Kind:
    """A kind of object that tasks start."""

    group: str
    version: str
    plural: str


STARTED = (
    Kind("trainer.kubeflow.org", "v1alpha1", "trainjobs"),
    Kind("serving.kserve.io", "v1beta1", "inferenceservices"),
    Kind("serving.kserve.io", "v1alpha2", "llminferenceservices"),
    Kind("apps", "v1", "deployments"),
    Kind("", "v1", "services"),
)
"""In the order in which they are deleted: owners before what they own."""


class ClusterError(RuntimeError):
    """Kubernetes did not do what was asked; the message says what to do."""


class Cluster:
    """One namespace. `api` is a kubernetes client that knows where to go and who asks."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self.namespace = namespace

    def pods(self, run_id: str) -> list[Pod]:
        """A run's pods, as Kubernetes' JSON. Raises ClusterError."""
        listed = self._call("GET", self._path(Kind("", "v1", "pods")), RUN_SELECTOR.format(run_id=run_id))
        return list(json.loads(listed)["items"])

    def log_tail(self, run_id: str, stage: str, lines: int) -> dict[str, str]:
        """Pod to the last lines of its task, for the pods of a stage that are still there. Raises ClusterError."""
        names = [p["metadata"]["name"] for p in self.pods(run_id) if pod_stage(p) == stage and not is_driver(p)]
        path = self._path(Kind("", "v1", "pods"))
        query: dict[str, Any] = {"container": _CONTAINER, "tailLines": lines}
        return {
            name: self._call("GET", f"{path}/{name}/log", missing="", absent=_NO_LOG, **query) for name in sorted(names)
        }

    def delete_started(self, run_id: str) -> tuple[list[str], list[str]]:
        """Delete what the run's tasks started: TrainJobs, engines. (What was deleted, what could not be.)"""
        deleted, failed = [], []
        for kind in STARTED:
            try:
                listed = self._call("GET", self._path(kind), f"{RUN_LABEL}={run_id}", missing='{"items": []}')
                for found in json.loads(listed)["items"]:
                    name = found["metadata"]["name"]
                    self._call("DELETE", f"{self._path(kind)}/{name}", missing="", propagationPolicy="Background")
                    deleted.append(f"{kind.plural}/{name}")
            except ClusterError as error:
                failed.append(str(error))
        return deleted, failed

    def _path(self, kind: Kind) -> str:
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        return f"{root}/namespaces/{self.namespace}/{kind.plural}"

    def _call(
        self, method: str, path: str, selector: str = "", missing: str | None = None,
        absent: tuple[int, ...] = (404,), **query: Any,
    ) -> str:  # fmt: skip
        """The body of the answer; `missing` instead of it where nothing is there: a CRD, or an object that went."""
        options = list(query.items()) + ([("labelSelector", selector)] if selector else [])
        try:
            response = self._api.call_api(
                path, method, query_params=options, auth_settings=["BearerToken"], header_params={"Accept": "*/*"},
                _preload_content=False, _return_http_data_only=True, _request_timeout=_TIMEOUT_S,
            )  # fmt: skip
        # `from None`: the client's errors hold response headers, and a traceback prints them.
        except client.ApiException as error:
            if error.status in absent and missing is not None:
                return missing
            raise ClusterError(self._refusal(method, path, error)) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"Kubernetes: {method} {path}: {type(error).__name__}; check your kubeconfig") from None
        return str(response.data.decode(errors="replace"))

    def _refusal(self, method: str, path: str, error: client.ApiException) -> str:
        mend = "; ask for the rights in manifests/ (docs/cluster.md)" if error.status in (401, 403) else ""
        return f"Kubernetes: {method} {path}: {error.status} {error.reason}{mend}"


def connect(namespace: str, context: str = "") -> Cluster | None:
    """The cluster of a named context, else of the pod that this runs in, else of the kubeconfig; None without any."""
    api = api_client(context)
    return Cluster(api, namespace) if api else None


def api_client(context: str = "") -> client.ApiClient | None:
    """A client of that cluster, with its credentials."""
    configuration = client.Configuration()
    # Who names a context means a kubeconfig, also in a pod, such as a notebook's.
    if not context:
        with suppress(config.ConfigException):
            config.load_incluster_config(client_configuration=configuration)
            return client.ApiClient(configuration)
    try:
        config.load_kube_config(client_configuration=configuration, context=context or None)
    except (config.ConfigException, FileNotFoundError):
        return None
    return client.ApiClient(configuration)
