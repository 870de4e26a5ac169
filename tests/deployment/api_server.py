"""A small Kubernetes API server: objects of any kind over real HTTP, with pods that get ready, or not."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import listening

Object = dict[str, Any]
_PATH = re.compile(
    r"/(?:api|apis)/(?P<version>v1|[a-z0-9.]+/\w+)/namespaces/(?P<ns>[^/]+)/(?P<kind>\w+)(?:/(?P<name>.+))?"
)


class ApiServer:
    """Its state and its faults. `fault` sees method and path and may return a status to answer with instead."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.ready: Callable[[str], bool] = lambda _name: True
        self.stalled = ""
        self.fault: Callable[[str, str], int | None] = lambda _method, _path: None
        self.before_write: Callable[[], None] = lambda: None
        self.requests: list[tuple[str, str]] = []
        self._version = 0
        self._lock = threading.RLock()

    def put(self, kind: str, made: Object) -> None:
        """Create or change, as a client other than the one under test."""
        with self._lock:
            self._version += 1
            made["metadata"]["resourceVersion"] = str(self._version)
            made["metadata"].setdefault("generation", 1)
            self.objects[kind, made["metadata"]["name"]] = made

    def names(self, kind: str) -> set[str]:
        return {name for of, name in self.objects if of == kind}

    def selected(self, service: str) -> str | None:
        return self.objects["services", service]["spec"].get("selector", {}).get("hexad.dev/bundle")

    def handle(self, method: str, target: str, type_: str, body: Object) -> tuple[int, Object]:  # noqa: PLR0911
        url = urlsplit(target)
        found = _PATH.fullmatch(url.path)
        assert found is not None, target
        self.requests.append((method, url.path))
        status = self.fault(method, url.path)
        if status:
            return status, _failure(status, "told to fail")
        kind, name = found["kind"], found["name"]
        if method == "GET" and name is None:
            return 200, {"items": self._list(kind, parse_qs(url.query).get("labelSelector", [""])[0])}
        old = self.objects.get((kind, name))
        if method == "PATCH" and type_ == "application/apply-patch+yaml":
            assert parse_qs(url.query)["fieldManager"]
            return self._write(kind, name, _merged(old or {}, body))
        if old is None:
            return 404, _failure(404, f"{kind} {name} not found")
        if method == "PATCH":
            self.before_write()
            old = self.objects[kind, name]
            expected = body.get("metadata", {}).get("resourceVersion", old["metadata"]["resourceVersion"])
            if expected != old["metadata"]["resourceVersion"]:
                return 409, _failure(409, "the object has been modified")
            return self._write(kind, name, _merged(old, body))
        if method == "DELETE":
            del self.objects[kind, name]
            return 200, {}
        return 200, self._observed(kind, old)

    def _write(self, kind: str, name: str, made: Object) -> tuple[int, Object]:
        old = self.objects.get((kind, name))
        if old is not None and old.get("spec") != made.get("spec"):
            made["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        self.put(kind, made)
        return 200, self._observed(kind, made)

    def _observed(self, kind: str, found: Object) -> Object:
        if kind != "deployments":
            return found
        found["spec"].setdefault("replicas", 1)  # the API server's default
        count = found["spec"]["replicas"] if self.ready(found["metadata"]["name"]) else 0
        status: Object = {
            "observedGeneration": found["metadata"]["generation"], "updatedReplicas": found["spec"]["replicas"],
            "readyReplicas": count,
        }  # fmt: skip
        if self.stalled:
            status["conditions"] = [{"type": "Progressing", "status": "False", "reason": self.stalled, "message": "no"}]
        return found | {"status": status}

    def _list(self, kind: str, selector: str) -> list[Object]:
        found = [o for (of, _), o in self.objects.items() if of == kind]
        return [o for o in found if all(_matches(o["metadata"].get("labels", {}), one) for one in selector.split(","))]


@contextmanager
def serving(state: ApiServer) -> Iterator[str]:
    """The server on a free port; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            with state._lock:
                status, answer = state.handle(self.command, self.path, self.headers.get("Content-Type") or "", body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            return

    with listening(Handler) as address:
        yield f"http://{address}"


def _matches(labels: Object, requirement: str) -> bool:
    """`key`, `!key` or `key=value` of a label selector."""
    if requirement.startswith("!"):
        return requirement[1:] not in labels
    label, _, value = requirement.partition("=")
    return label in labels and value in ("", labels[label])


def _merged(old: Object, change: Object) -> Object:
    """JSON Merge Patch (RFC 7386)."""
    made = dict(old)
    for key, value in change.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key) or {}, value) if isinstance(value, dict) else value
    return made


def _failure(status: int, message: str) -> Object:
    return {"kind": "Status", "status": "Failure", "code": status, "message": message}
