"""Kubeflow's Model Registry (REST API v1alpha3) as a server that keeps state and fails on request.

The real one is a Go server in front of a database; none can be had from a package registry.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import listening

TOKEN = "a-registry-token-that-nobody-prints-31c7"
PREFIX = "/api/model_registry/v1alpha3"
Object = dict[str, Any]


@dataclass
class StubModelRegistry:
    models: list[Object] = field(default_factory=list)
    versions: list[Object] = field(default_factory=list)
    artifacts: list[Object] = field(default_factory=list)
    token: str = ""
    faults: list[tuple[str, str, int, bool]] = field(default_factory=list)
    """(method, end of the path, status, whether what was asked is done all the same), each for one request."""
    page: bool = False
    """A login page answers instead."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    host: str = ""

    def answer(self, method: str, path: str, query: dict[str, str], body: Object) -> tuple[int, Object]:
        if not path.startswith(PREFIX):
            return 404, {"message": "no such path"}
        self.asked.append((method, path.removeprefix(PREFIX)))
        fault = next((f for f in self.faults if f[0] == method and path.endswith(f[1])), None)
        if fault:
            self.faults.remove(fault)
            if fault[3]:
                self._do(method, path.removeprefix(PREFIX).strip("/").split("/"), query, body)
            return fault[2], {"code": "", "message": "told to fail"}
        return self._do(method, path.removeprefix(PREFIX).strip("/").split("/"), query, body)

    def _do(self, method: str, parts: list[str], query: dict[str, str], body: Object) -> tuple[int, Object]:
        return self._read(parts, query) if method == "GET" else self._write(method, parts, body)

    def _read(self, parts: list[str], query: dict[str, str]) -> tuple[int, Object]:
        match parts:
            case ["registered_model"]:
                return _one(m for m in self.models if m["name"] == query["name"])
            case ["model_version"]:
                key = (query["parentResourceId"], query["name"])
                return _one(v for v in self.versions if (v["registeredModelId"], v["name"]) == key)
            case ["model_versions", identity, "artifacts"]:
                return 200, {"items": [a for a in self.artifacts if a["version"] == identity]}
        return 404, {"message": "no such path"}

    def _write(self, method: str, parts: list[str], body: Object) -> tuple[int, Object]:
        match method, parts:
            case "POST", ["registered_models"]:
                return _made(self.models, body, any(m["name"] == body["name"] for m in self.models))
            case "POST", ["model_versions"]:
                key = (body["registeredModelId"], body["name"])
                taken = any((v["registeredModelId"], v["name"]) == key for v in self.versions)
                return _made(self.versions, body, taken)
            case "POST", ["model_versions", identity, "artifacts"]:
                taken = any(a["name"] == body["name"] for a in self.artifacts)
                return _made(self.artifacts, body | {"version": identity}, taken)
            case "PATCH", ["model_versions", identity]:
                self.versions[int(identity) - 1].update(body)
                return 200, self.versions[int(identity) - 1]
        return 404, {"message": "no such path"}


def _one(found: Iterator[Object]) -> tuple[int, Object]:
    first = next(found, None)
    return (200, first) if first else (404, {"code": "", "message": "not found"})


def _made(things: list[Object], body: Object, taken: bool) -> tuple[int, Object]:
    if taken:
        return 409, {"code": "", "message": "already exists"}
    things.append({"id": str(len(things) + 1), **body})
    return 201, things[-1]


def _handler(stub: StubModelRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            given = self.headers.get("Authorization", "")
            if stub.token and given != f"Bearer {stub.token}":
                status, answer = 401, {"message": f"who is {given}?"}
            else:
                status, answer = stub.answer(self.command, url.path, query, json.loads(raw) if raw else {})
            data = b"<html>Please log in</html>" if stub.page else json.dumps(answer).encode()
            self.send_response(200 if stub.page else status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _handle

        def log_message(self, *_: object) -> None:
            """Tests read the command's output."""

    return Handler


@contextmanager
def serving(stub: StubModelRegistry) -> Iterator[StubModelRegistry]:
    with listening(_handler(stub)) as address:
        stub.host = f"http://{address}"
        yield stub
