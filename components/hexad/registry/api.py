"""Requests to Kubeflow's Model Registry (REST API v1alpha3).

Its own Python client brings gRPC-sized dependencies for the six requests that are needed.
https://github.com/kubeflow/model-registry/blob/main/api/openapi/model-registry.yaml
"""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

PREFIX = "/api/model_registry/v1alpha3"
_TIMEOUT = urllib3.Timeout(connect=10, read=30)
_LONGEST = 300

TOKEN, AUTHORITY = "HEXAD_REGISTRY_TOKEN", "HEXAD_REGISTRY_CA"
"""Environment variables: a bearer token, and a file with the certificates to trust. Neither is needed by all."""

Object = Mapping[str, Any]


class RegistryError(RuntimeError):
    """The registry did not do what was asked; the message says what to do, and holds no credentials."""


class Unavailable(RegistryError):
    """No answer, or an error of the server: asking again may help."""


class Exists(RegistryError):
    """There is one of that name already (409)."""


class RegistryApi:
    """One registry. `http` knows whose certificates to trust; `token` is a bearer token, empty for none."""

    def __init__(self, http: urllib3.PoolManager, url: str, token: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"registry: {url!r} is no URL; write https://… (or http://… inside the cluster)")
        self._http, self._url, self._token = http, url.rstrip("/").removesuffix(PREFIX), token

    def get(self, path: str, **query: str) -> Object | None:
        """The answer to GET; None where there is no such thing. Raises RegistryError."""
        status, answer = self._call("GET", path, query, None)
        return None if status == 404 else answer

    def post(self, path: str, body: Object) -> Object:
        """Raises RegistryError."""
        return self._written("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """Raises RegistryError."""
        return self._written("PATCH", path, body)

    def _written(self, method: str, path: str, body: Object) -> Object:
        status, answer = self._call(method, path, {}, body)
        if status == 404:
            raise RegistryError(f"{self._url}: {method} {path}: HTTP 404; check the registry's address")
        return answer

    def _call(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> tuple[int, Object]:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        what = f"{self._url}: {method} {path}"
        try:
            response = self._http.request(
                method, f"{self._url}{PREFIX}{path}", fields=query or None, json=body, headers=headers, retries=False,
                redirect=False, timeout=_TIMEOUT,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            mend = "check the address and your network"
            raise Unavailable(f"{what}: no answer ({type(error).__name__}); {mend}") from None
        if response.status in (200, 201, 404):
            return response.status, self._object(what, response)
        raise self._refused(what, response.status, response.data)

    def _object(self, what: str, response: urllib3.BaseHTTPResponse) -> Object:
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            mend = "give the address of the registry's REST service, and a token where a login page is in front of it"
            raise RegistryError(f"{what}: HTTP {response.status} is answered by a page, not by the API; {mend}")
        return answer

    def _refused(self, what: str, status: int, content: bytes) -> RegistryError:
        said = " ".join(content.decode(errors="replace").split())[:_LONGEST]
        if self._token:
            said = said.replace(self._token, "***")
        text = f"{what}: HTTP {status}: {said}"
        if status == 409:
            return Exists(text)
        if status >= 500 or status in (408, 429):
            return Unavailable(f"{text}; try again later")
        if status in (401, 403) or 300 <= status < 400:
            return RegistryError(f"{text}; give a token that may write there ({TOKEN})")
        return RegistryError(text)


def connect(url: str, environment: Mapping[str, str]) -> RegistryApi:
    """The registry at `url`. Raises ValueError for what is no URL."""
    http = urllib3.PoolManager(ca_certs=environment.get(AUTHORITY))
    return RegistryApi(http, url, environment.get(TOKEN, "").strip())
