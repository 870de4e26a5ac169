"""W3C trace context in and out, and spans of the gateway's stages. They carry counts, never text.

Only OpenTelemetry's API is used here: without an SDK, spans cost next to nothing and a client's trace context still
reaches engine and verifier. https://www.w3.org/TR/trace-context/
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACER = trace.get_tracer("hexad.gateway")
# W3C's headers alone, whatever the process's default propagator: baggage is text that a client chose.
_W3C = TraceContextTextMapPropagator()


def request_span(headers: Mapping[str, str]) -> Span:
    """The span of a request, under the client's if it sent one. The caller ends it."""
    return _TRACER.start_span("request", context=_W3C.extract(dict(headers)), kind=SpanKind.SERVER)


@contextmanager
def inside(span: Span) -> Iterator[None]:
    """What starts within has `span` as its parent; it is not ended, and an error's message is not recorded."""
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def stage(name: str, **counts: int | str) -> Iterator[Span]:
    """A span of one stage, with attributes hexad.NAME. An exception marks it as failed, by its type only."""
    with _TRACER.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        count(span, **counts)
        try:
            yield span
        except Exception as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def count(span: Span, **counts: int | str) -> None:
    """Attributes hexad.NAME of a span."""
    span.set_attributes({f"hexad.{name}": value for name, value in counts.items()})


def trace_id(span: Span) -> str | None:
    """32 hexadecimal digits; None where nobody traces."""
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def traceparent(span: Span) -> dict[str, str]:
    """The response header that tells a client its trace; empty where nobody traces."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span))
    return {name: value for name, value in carrier.items() if name == "traceparent"}


async def add_trace_context(request: httpx.Request) -> None:
    """Request hook of the client that reaches engine and verifier: the current span's context in its headers."""
    _W3C.inject(request.headers)
