"""Kubeflow Pipelines' API and Kubernetes' as one server that speaks real HTTP, keeps state, and fails on request.

No Kubeflow runs on a machine without a cluster, and a real one would not fail in these ways when asked to.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from tests.loopback import listening

from hexad.submission.api import PipelinesApi
from hexad.submission.credentials import from_environment

TOKEN = "a-token-that-no-log-may-hold-5f1c"
V2 = "/apis/v2beta1"
PAGE = b"<html><body>Please log in</body></html>"


@dataclass
class Fault:
    """What happens to the next `times` requests that match."""

    method: str
    path: str
    times: int
    status: int = 503
    message: str = "the server is overloaded"
    seconds: float = 0.0
    after: bool = False
    """Do what is asked, and then fail all the same."""
    page: bool = False


@dataclass
class Seen:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class StubKubeflow:
    token: str = ""
    cookie: str = ""
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Kubernetes: path to object; pods that have started have a field `log`."""
    kinds: set[str] = field(default_factory=lambda: {"pods", "services", "deployments"})
    """Plurals that the cluster knows: the CRDs of others are not installed."""
    forbidden: set[str] = field(default_factory=set)
    stories: list[list[dict[str, Any]]] = field(default_factory=list)
    """What the next runs do: one change of the run for each time it is asked for."""
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    host: str = ""
    clock_s: float = 0.0
    """How far its clock is ahead."""

    def asked(self, method: str, path: str) -> list[Seen]:
        return [s for s in self.seen if s.method == method and re.fullmatch(path, s.path)]

    # Kubeflow

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        for verb, pattern, act in self._routes():
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                return act(query, body, *match.groups())
        if path.startswith(("/api/", "/apis/", "/version")) and not path.startswith(V2):
            alone = method == "GET" and (path in self.objects or path.count("/") < 5 or "/namespaces/" not in path)
            return self._one_object(path) if alone else self._kubernetes(method, path, query)
        return 404, {"code": 5, "message": f"{path} not found"}

    def _routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        return [
            ("GET", f"{V2}/pipelines", self._list_pipelines),
            ("POST", f"{V2}/pipelines/upload", self._upload_pipeline),
            ("POST", f"{V2}/pipelines/upload_version", self._upload_version),
            ("GET", rf"{V2}/pipelines/([\w-]+)/versions", self._list_versions),
            ("GET", rf"{V2}/pipelines/[\w-]+/versions/([\w-]+)", lambda q, b, i: _found(self.versions, i)),
            ("GET", f"{V2}/experiments", self._list_experiments),
            ("POST", f"{V2}/experiments", self._make_experiment),
            ("GET", f"{V2}/runs", self._list_runs),
            ("POST", f"{V2}/runs", self._make_run),
            ("GET", rf"{V2}/runs/([\w-]+)", self._get_run),
            ("POST", rf"{V2}/runs/([\w-]+):terminate", self._terminate),
            ("GET", f"{V2}/recurringruns", lambda q, b: (200, {"recurringRuns": list(self.schedules.values())})),
            ("POST", f"{V2}/recurringruns", self._make_schedule),
            ("DELETE", rf"{V2}/recurringruns/([\w-]+)", self._drop_schedule),
        ]

    def _list_pipelines(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"pipelines": _named(self.pipelines, query)}

    def _upload_pipeline(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if any(p["display_name"] == query["name"] for p in self.pipelines.values()):
            return 409, {"code": 6, "message": f"Already exist error: The name {query['name']} already exist"}
        made = {"pipeline_id": f"pipeline-{len(self.pipelines)}", "display_name": query["display_name"]}
        self.pipelines[made["pipeline_id"]] = made
        return 200, made

    def _upload_version(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        pipeline, name = query["pipelineid"], query["name"]
        if any(v["pipeline_id"] == pipeline and v["name"] == name for v in self.versions.values()):
            return 409, {"code": 6, "message": "Already exist error: a version with this name exists"}
        spec, *platform = yaml.safe_load_all(body)
        made = {
            "pipeline_id": pipeline, "pipeline_version_id": f"version-{len(self.versions)}", "name": name,
            "display_name": query["display_name"],
            "pipeline_spec": {"pipeline_spec": spec, "platform_spec": platform[0]} if platform else spec,
        }  # fmt: skip
        self.versions[made["pipeline_version_id"]] = made
        return 200, made

    def _list_versions(self, query: dict[str, str], body: Any, pipeline: str) -> tuple[int, Any]:
        found = _named({k: v for k, v in self.versions.items() if v["pipeline_id"] == pipeline}, query)
        return 200, {"pipeline_versions": found}

    def _list_experiments(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"experiments": _named(self.experiments, query)}

    def _make_experiment(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        made = {"experiment_id": f"experiment-{len(self.experiments)}", **body}
        self.experiments[made["experiment_id"]] = made
        return 200, made

    def _list_runs(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"runs": list(reversed(_named(self.runs, query)))}

    def _make_run(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if body["pipeline_version_reference"]["pipeline_version_id"] not in self.versions:
            return 404, {"code": 5, "message": "ResourceNotFoundError: PipelineVersion not found"}
        run_id = f"run-{len(self.runs)}"
        story = self.stories.pop(0) if self.stories else []
        self.runs[run_id] = {
            "run_id": run_id, "state": "PENDING", "created_at": "2026-01-01T00:00:00Z", "story": story, **body,
        }  # fmt: skip
        return 200, _public(self.runs[run_id])

    def _get_run(self, query: dict[str, str], body: Any, run_id: str) -> tuple[int, Any]:
        if run_id not in self.runs:
            return 404, {"code": 5, "message": f"ResourceNotFoundError: Run {run_id} not found"}
        run = self.runs[run_id]
        if run["story"]:
            run.update(run["story"].pop(0))
        return 200, _public(run)

    def _terminate(self, query: dict[str, str], body: Any, run_id: str) -> tuple[int, Any]:
        status, run = self._get_run(query, body, run_id)
        if status == 200:
            self.runs[run_id].update(state="CANCELING", story=[{"state": "CANCELED"}])
        return (200, {}) if status == 200 else (status, run)

    def _make_schedule(self, query: dict[str, str], body: Any) -> tuple[int, Any]:
        made = {"recurring_run_id": f"schedule-{len(self.schedules)}", "status": "ENABLED", **body}
        self.schedules[made["recurring_run_id"]] = made
        return 200, made

    def _drop_schedule(self, query: dict[str, str], body: Any, name: str) -> tuple[int, Any]:
        status, answer = _found(self.schedules, name)
        self.schedules.pop(name, None)
        return (status, answer) if status == 404 else (200, {})

    # Kubernetes

    def add(self, path: str, labels: dict[str, str], **more: Any) -> None:
        annotations = more.pop("annotations", {})
        name = path.rpartition("/")[2]
        self.objects[path] = {"metadata": {"name": name, "labels": labels, "annotations": annotations}, **more}

    def _kubernetes(self, method: str, path: str, query: dict[str, str]) -> tuple[int, Any]:
        plural = path.split("/namespaces/")[1].split("/")[1]
        if plural in self.forbidden:
            return 403, {"kind": "Status", "message": f"{plural} is forbidden"}
        if plural not in self.kinds:
            return 404, {"kind": "Status", "message": "the server could not find the requested resource"}
        if path.endswith("/log"):
            pod = self.objects.get(path.removesuffix("/log"))
            if pod is None or "log" not in pod:
                return (400 if pod else 404), {"kind": "Status", "message": "no such pod, or it is waiting to start"}
            lines = pod["log"].splitlines()[-int(query["tailLines"]) :]
            return 200, "\n".join(lines)
        if method == "DELETE":
            return (200, {}) if self.objects.pop(path, None) else (404, {})
        key, _, value = query.get("labelSelector", "").partition("=")
        found = [o for p, o in self.objects.items() if p.rpartition("/")[0] == path]
        return 200, {"items": [o for o in found if not key or o["metadata"]["labels"].get(key) == value]}

    def _one_object(self, path: str) -> tuple[int, Any]:
        if self.forbidden & set(path.split("/")):
            return 403, {"kind": "Status", "message": f"{path} is forbidden"}
        return _found(self.objects, path)


def _found(things: dict[str, dict[str, Any]], name: str) -> tuple[int, Any]:
    return (200, things[name]) if name in things else (404, {"code": 5, "message": f"{name} not found"})


def _public(run: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in run.items() if key != "story"}


def _named(things: dict[str, dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    wanted = [p["string_value"] for p in json.loads(query.get("filter", "{}")).get("predicates", [])]
    return [_public(t) for t in things.values() if not wanted or t["display_name"] in wanted]


def _handler(stub: StubKubeflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, parts.path, query, dict(self.headers), self._body(raw))
            stub.seen.append(seen)
            fault = next((f for f in stub.faults if f.times and _matches(f, seen)), None)
            if fault:
                fault.times -= 1
                time.sleep(fault.seconds)
                if fault.after:
                    stub.answer(seen.method, seen.path, query, seen.body)
                if fault.status:
                    self._send(fault.status, PAGE if fault.page else {"message": fault.message})
                    return
            if not self._known():
                said = f"who is {self.headers.get('Authorization', self.headers.get('Cookie', 'nobody'))}?"
                self._send(401, {"code": 16, "message": said})
                return
            self._send(*stub.answer(seen.method, seen.path, query, seen.body))

        def _known(self) -> bool:
            if stub.token:
                return self.headers.get("Authorization") == f"Bearer {stub.token}"
            return not stub.cookie or self.headers.get("Cookie") == stub.cookie

        def _body(self, raw: bytes) -> Any:
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("multipart/form-data"):
                boundary = kind.partition("boundary=")[2].encode()
                return raw.split(b"--" + boundary)[1].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            return json.loads(raw) if raw else None

        def _send(self, status: int, answer: Any) -> None:
            page = isinstance(answer, bytes | str)
            data = (answer.encode() if isinstance(answer, str) else answer) if page else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Set-Cookie", "session=a-session-of-the-server")
            if status == 302:
                self.send_header("Location", "/dex/auth")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _handle

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + stub.clock_s)

        def log_message(self, *_: object) -> None:
            """Tests read the client's logs."""

    return Handler


def _matches(fault: Fault, seen: Seen) -> bool:
    return fault.method == seen.method and re.fullmatch(fault.path, seen.path) is not None


def client(stub: StubKubeflow, token: str, timeout_s: float = 5.0) -> PipelinesApi:
    """A client that does not wait between tries."""
    credentials = from_environment({"HEXAD_KFP_TOKEN": token} if token else {})
    return PipelinesApi(stub.host, credentials, timeout_s=timeout_s, sleep=lambda _: None)


@contextmanager
def serving(stub: StubKubeflow, tls: ssl.SSLContext | None = None) -> Iterator[StubKubeflow]:
    with listening(_handler(stub), tls) as address:
        stub.host = f"{'https' if tls else 'http'}://{address}"
        yield stub
