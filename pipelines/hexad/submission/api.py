"""Requests to the Kubeflow Pipelines API (v2beta1) through kfp's own generated client.

Its generic call is used, not its methods for each endpoint nor `kfp.Client`: those set no time limit, repeat nothing
after a server's error, retry a refused login for half a minute in their constructor, and put response headers, with
whatever cookies they set, into the text of exceptions.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from kfp_server_api import ApiClient, ApiException, Configuration

from hexad.submission.credentials import Credentials

AUTHORITY = "HEXAD_KFP_CA"
"""Environment variable with the file of certificates to trust."""
PREFIX = "/apis/v2beta1"
_LONGEST_MESSAGE = 400
_CONNECT_S = 10.0


class ApiError(RuntimeError):
    """The API did not do what was asked; the message says what to do. Holds no credentials."""


class Refused(ApiError):
    """Who asks is unknown, or may not do this (401, 403, or a login page)."""


class Missing(ApiError):
    """There is no such thing (404)."""


class Exists(ApiError):
    """There is one of that name already (409)."""


class Unavailable(ApiError):
    """No answer, or only errors of the server, after all tries."""


class PipelinesApi:
    """The API at one address. `sleep` waits between tries."""

    def __init__(
        self,
        host: str,
        credentials: Credentials,
        *,
        timeout_s: float = 30.0,
        tries: int = 5,
        wait_s: float = 1.0,
        authority: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`authority`: file with the certificates to trust, for a server with a certificate of the company's own."""
        if not host.startswith(("http://", "https://")):
            raise ValueError(f"host: {host!r} is no URL; write https://… (or http://… inside the cluster)")
        if "@" in urlsplit(host).netloc:
            raise ValueError("host: holds credentials, which no option may: every process can read it; give them apart")
        self.host = host.rstrip("/").removesuffix("/#")
        self._credentials = credentials
        self._timeout = (_CONNECT_S, timeout_s)
        self._tries, self._wait_s, self._sleep = tries, wait_s, sleep
        configuration = Configuration(host=self.host)
        configuration.ssl_ca_cert = str(authority) if authority else None
        # One place repeats requests: here, where it is known which ones may be repeated.
        configuration.retries = urllib3.Retry(total=0, redirect=0, raise_on_redirect=False)
        self._client = ApiClient(configuration)

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """The answer to GET `path` (without the API's prefix). Raises ApiError."""
        return self._call("GET", path, query, repeat=True)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, repeat: bool = False, **query: str
    ) -> dict[str, Any]:
        """The answer to POST `path`. `repeat` only what may happen twice without harm. Raises ApiError."""
        return self._call("POST", path, query, body=body, repeat=repeat)

    def upload(self, path: str, file: Path, **query: str) -> dict[str, Any]:
        """POST a file. Names are unique there, so that it may be repeated. Raises ApiError."""
        return self._call("POST", path, query, file=file, repeat=True)

    def delete(self, path: str) -> None:
        """Raises ApiError."""
        self._call("DELETE", path, {}, repeat=True)

    def _call(
        self, method: str, path: str, query: Mapping[str, str | int], *, repeat: bool, body: Any = None,
        file: Path | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        for attempt in range(self._tries if repeat else 1):
            if attempt:
                self._sleep(self._wait_s * 2 ** (attempt - 1))
            try:
                return self._once(method, path, query, body, file)
            except Unavailable as error:
                failed = error
        raise failed

    def _once(
        self, method: str, path: str, query: Mapping[str, str | int], body: Any, file: Path | None
    ) -> dict[str, Any]:
        headers = {
            "Accept": "application/json",
            "Content-Type": "multipart/form-data" if file else "application/json",
            **self._credentials.headers(),
        }
        # `from None` throughout: the causes hold response headers, and a traceback prints them.
        try:
            response = self._client.call_api(
                PREFIX + path, method, query_params=list(query.items()), header_params=headers, body=body,
                files={"uploadfile": str(file)} if file else {}, response_type="object",
                _return_http_data_only=False, _request_timeout=self._timeout,
            )  # fmt: skip
        except ApiException as error:
            raise self._explained(method, path, error) from None
        except urllib3.exceptions.HTTPError as error:
            cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
            mend = f"check the host, and {AUTHORITY} for a certificate of the company's own"
            raise Unavailable(self._said(f"no answer to {method} {path}", str(cause), mend)) from None
        answer, _, response_headers = response
        if isinstance(answer, dict):
            return answer
        if "json" in response_headers.get("content-type", "") or not answer:
            return {}
        raise Refused(self._said(f"{path} is answered by a page, not by the API", self._login_mend())) from None

    def _explained(self, method: str, path: str, error: ApiException) -> ApiError:
        what, message = f"{method} {path}: {error.status} {error.reason}", _message(error.body)
        status = int(error.status or 0)
        if status in (401, 403) or 300 <= status < 400:
            return Refused(self._said(what, message, self._login_mend()))
        if status == 404:
            return Missing(self._said(what, message, "check the id and the host"))
        if status == 409 or "already exist" in message.lower():
            return Exists(self._said(what, message))
        if status >= 500 or status in (408, 429):
            return Unavailable(self._said(what, message, "try again later, and look at the API server's log"))
        return ApiError(self._said(what, message))

    def _login_mend(self) -> str:
        asked = f"asked with {self._credentials.kind}"
        return f"{asked}; give one that is valid and may do this (docs/cluster.md, Authentication)"

    def _said(self, *parts: str) -> str:
        text = "; ".join(part for part in parts if part)
        return self._credentials.redact(f"{self.host}: {text}")


def equals(key: str, value: str) -> str:
    """A filter of lists: things whose `key` is `value`."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": key, "string_value": value}]})


def _message(body: str | bytes | None) -> str:
    """What the server says in its own words, shortened."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        parsed = json.loads(text)
    except ValueError:
        return ""  # a proxy's page: its status says all
    said = parsed.get("message") or parsed.get("error") or "" if isinstance(parsed, dict) else ""
    return " ".join(str(said).split())[:_LONGEST_MESSAGE]
