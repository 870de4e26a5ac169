"""W3C trace context through the gateway, and a span for each stage that holds counts and no text."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .conftest import question
from .test_server import write_config
from .upstream import SEED, Engine, Script, answers, serve, wait_for

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="session")
def _exporter() -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(_exporter: InMemorySpanExporter) -> Iterator[Callable[[], list[ReadableSpan]]]:
    """The spans of the one request that this test makes, once its request span has ended."""

    def ended() -> list[ReadableSpan]:
        wait_for(lambda: any(s.name == "request" for s in _exporter.get_finished_spans()))
        return list(_exporter.get_finished_spans())

    _exporter.clear()
    yield ended


def post(url: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    body = {"model": "k", "messages": question("privately"), "seed": SEED, **fields}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=20)


@pytest.mark.parametrize("stream", [False, True])
def test_every_stage_is_a_span_under_the_requests(
    engine: Engine, engine_url: str, gateway: Callable[..., str],
    spans: Callable[[], list[ReadableSpan]], stream: bool,
) -> None:  # fmt: skip
    engine.script = answers("1", "2", "2")
    engine.score = lambda _: 0.5
    post(gateway(scorer_url=engine_url), {"traceparent": TRACEPARENT}, stream=stream)
    found = spans()
    assert sorted(s.name for s in found) == ["candidate"] * 3 + ["plan", "request", "select", "verify"]
    request = next(s for s in found if s.name == "request")
    assert request.parent is not None and request.context is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    for span in found:
        assert span is request or (span.parent and span.parent.span_id == request.context.span_id)
    told = {s.name: dict(s.attributes or {}) for s in found}
    assert told["request"]["hexad.status"] == 200
    assert told["request"]["hexad.completion_tokens"] == 7 + 6
    assert told["plan"]["hexad.tokens"] == 7
    assert told["verify"]["hexad.prompt_tokens"] == 21
    assert told["select"]["hexad.agreeing"] == 2
    assert {(s.attributes or {})["hexad.candidate"] for s in found if s.name == "candidate"} == {0, 1, 2}


def test_spans_hold_no_text_also_of_failures(
    engine: Engine, gateway: Callable[..., str], spans: Callable[[], list[ReadableSpan]]
) -> None:
    engine.script = lambda _: Script(status=400, message="privately said")
    assert post(gateway()).status_code == 400
    found = spans()
    assert {s.status.description for s in found} == {None, "UpstreamError"}
    assert "privately" not in " ".join(s.to_json() for s in found)


@pytest.mark.usefixtures("spans")
def test_engine_verifier_and_client_are_told_the_trace(
    engine: Engine, engine_url: str, gateway: Callable[..., str]
) -> None:
    engine.script = answers("1", "2", "2")
    engine.score = lambda _: 0.5
    response = post(gateway(scorer_url=engine_url), {"traceparent": TRACEPARENT, "baggage": "a=privately"})
    sent = [h["traceparent"] for h in engine.headers + engine.score_headers]
    assert len(sent) == len(set(sent)) == 5
    assert all(parent.startswith(f"00-{TRACE}-") and PARENT not in parent for parent in sent)
    assert response.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert not any("baggage" in h for h in engine.headers)


@pytest.mark.parametrize("header", ["", "00-zz", "x" * 5000])
@pytest.mark.usefixtures("spans")
def test_a_malformed_context_starts_a_trace_of_its_own(
    engine: Engine, gateway: Callable[..., str], header: str
) -> None:
    response = post(gateway(), {"traceparent": header}, model="k:bo1")
    assert response.status_code == 200
    assert len(response.headers["traceparent"]) == 55


def test_a_process_exports_to_the_collector_that_its_operator_names(
    engine: Engine, engine_url: str, tmp_path: Path
) -> None:
    received: list[bytes] = []

    async def collect(request: Request) -> Response:
        received.append(await request.body())
        return Response(b"")

    with serve(Starlette(routes=[Route("/v1/traces", collect, methods=["POST"])])) as collector:
        config = write_config(tmp_path, engine_url=engine_url, port=0)
        environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        command = [sys.executable, "-m", "hexad.gateway.server", "--config", str(config)]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "running on" in line)
            post(line.split("running on ")[1].split()[0], model="k:bo1")
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        finally:
            process.kill()
            process.wait()
    sent = [ExportTraceServiceRequest.FromString(body) for body in received]
    (resource,) = [r for request in sent for r in request.resource_spans]
    assert {s.name for scope in resource.scope_spans for s in scope.spans} == {"request", "candidate", "select"}
    names = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert names["service.name"] == "hexad-gateway"


def test_without_an_sdk_a_clients_context_still_passes_through(engine: Engine, engine_url: str, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from hexad.gateway.server import main; sys.exit(main(sys.argv[1:]))"
    )
    config = write_config(tmp_path, engine_url=engine_url, port=0, otlp_endpoint="http://127.0.0.1:9")
    command = [sys.executable, "-c", code, "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = iter(process.stderr)
        assert "install opentelemetry-sdk" in next(lines)
        url = next(line for line in lines if "running on" in line).split("running on ")[1].split()[0]
        response = post(url, {"traceparent": TRACEPARENT}, model="k:bo1")
    finally:
        process.kill()
        process.wait()
    assert response.headers["traceparent"] == TRACEPARENT
    assert engine.headers[0]["traceparent"] == TRACEPARENT
