"""Sending spans to a collector: only where the operator names one, and OpenTelemetry's SDK is installed."""

import logging
import os
from collections.abc import Callable

from opentelemetry import trace

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_log = logging.getLogger("hexad.gateway")


def export_traces(endpoint: str | None) -> Callable[[], None]:
    """Export this process's spans by OTLP over HTTP; returns what sends the last of them (blocking, at most seconds).

    `endpoint` is the collector's base URL; None leaves it to OTEL_EXPORTER_OTLP_ENDPOINT, and without that nothing is
    exported. The other OTEL_* variables (headers, sampler, service name) hold as the SDK documents them.
    """
    if endpoint is None and not os.environ.get(ENDPOINT):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.warning("no traces are exported: install opentelemetry-sdk and opentelemetry-exporter-otlp (%s)", error)
        return lambda: None
    # Resource.create lets OTEL_SERVICE_NAME win over attributes only where they are absent
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "hexad-gateway"}
    provider = TracerProvider(resource=Resource.create(named))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown
