"""The five requests to a Kubernetes API server that a roll-out needs, over any kind of object, with retries."""

import time
from collections.abc import Callable
from typing import Any

from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

Object = dict[str, Any]
_MERGE, _APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
_AGAIN = {429, 500, 502, 503, 504}
_MANAGER = "hexad-rollout"


class KubernetesError(RuntimeError):
    """The API server refused a request or could not be reached. The message is one line: request, answer, mend."""


class Conflict(KubernetesError):
    """The object changed between reading and writing it."""


class Forbidden(KubernetesError):
    """The service account has no right to the request."""


class KubernetesApi:
    """Objects of one namespace. 429, 5xx and broken connections are tried `tries` times, with a growing pause."""

    def __init__(
        self, client: ApiClient, namespace: str, tries: int = 5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.namespace = namespace
        self._client, self._tries, self._sleep = client, tries, sleep

    def get(self, api_version: str, kind: str, name: str) -> Object | None:
        """The object, or None."""
        return self._request("GET", path(api_version, kind, self.namespace, name))

    def list(self, api_version: str, kind: str, selector: str) -> list[Object]:
        """Objects whose labels match; none where the cluster does not know the kind."""
        found = self._request("GET", path(api_version, kind, self.namespace), {"labelSelector": selector})
        return list((found or {}).get("items", []))

    def apply(self, wanted: Object) -> Object:
        """Create or change by server-side apply, so that fields which others own stay theirs.

        https://kubernetes.io/docs/reference/using-api/server-side-apply/
        """
        query = {"fieldManager": _MANAGER, "force": "true"}
        target = path(wanted["apiVersion"], wanted["kind"], self.namespace, wanted["metadata"]["name"])
        found = self._request("PATCH", target, query, wanted, _APPLY)
        if found is None:
            raise KubernetesError(
                f"PATCH {target}: HTTP 404; create namespace {self.namespace}, or install what defines {wanted['kind']}"
            )
        return found

    def patch(self, api_version: str, kind: str, name: str, change: Object) -> Object | None:
        """Merge `change`; with metadata.resourceVersion in it, raises Conflict when the object changed since."""
        return self._request("PATCH", path(api_version, kind, self.namespace, name), {}, change, _MERGE)

    def delete(self, api_version: str, kind: str, name: str) -> None:
        """Delete it and what it owns; no error when there is none."""
        self._request("DELETE", path(api_version, kind, self.namespace, name), {"propagationPolicy": "Background"})

    def _request(
        self, method: str, target: str, query: dict[str, str] | None = None, body: Object | None = None, type_: str = ""
    ) -> Object | None:
        headers = {"Accept": "application/json"} | ({"Content-Type": type_} if type_ else {})
        for attempt in range(1, self._tries + 1):
            try:
                answer: Object = self._client.call_api(
                    target, method, query_params=list((query or {}).items()), header_params=headers, body=body,
                    response_type="object", auth_settings=["BearerToken"], _return_http_data_only=True,
                    _request_timeout=30,
                )  # fmt: skip
                return answer
            except ApiException as error:
                if error.status == 404:
                    return None
                if error.status not in _AGAIN or attempt == self._tries:
                    raise _explained(method, target, error) from error
            except HTTPError as error:
                if attempt == self._tries:
                    mend = "is the API server's address in the kubeconfig right, and can it be reached from here?"
                    raise KubernetesError(f"{method} {target}: {error}; {mend}") from error
            self._sleep(min(10.0, 0.5 * 2 ** (attempt - 1)))
        raise AssertionError("the last attempt returns or raises")


def path(api_version: str, kind: str, namespace: str, name: str = "") -> str:
    """REST path of an object, or of its kind, whose plural must be regular."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    lower = kind.lower()
    if lower.endswith("y") and lower[-2] not in "aeiou":
        plural = f"{lower[:-1]}ies"
    else:
        plural = f"{lower}es" if lower.endswith("s") else f"{lower}s"
    return f"{root}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def _explained(method: str, target: str, error: ApiException) -> KubernetesError:
    said = " ".join(str(error.body or error.reason).split())[:300]
    text = f"{method} {target}: HTTP {error.status}: {said}"
    if error.status == 409:
        return Conflict(text)
    if error.status in (401, 403):
        return Forbidden(f"{text}; give this account the right to {method.lower()} it")
    return KubernetesError(text)
