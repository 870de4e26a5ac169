"""Where a finished request is told: metrics, log, span and audit, once for each, however it ended."""

import logging

from opentelemetry.trace import StatusCode

from hexad.gateway.exchange import Exchange
from hexad.gateway.telemetry.audit import audit_row
from hexad.gateway.telemetry.audit_log import AuditLog
from hexad.gateway.telemetry.metrics import Metrics
from hexad.gateway.telemetry.tracing import count
from hexad.gateway.usage import Usage, of_json

_log = logging.getLogger("hexad.gateway")


class Observer:
    """`audit` is None where the operator wants none; `with_text` puts text into its rows, and nowhere else."""

    def __init__(self, metrics: Metrics, audit: AuditLog | None, with_text: bool) -> None:
        self._metrics = metrics
        self._audit = audit
        self._with_text = with_text

    def finish(self, exchange: Exchange) -> None:
        """Exactly once for each request."""
        seconds = exchange.watch.seconds()
        self._measure(exchange, seconds)
        _end_span(exchange)
        if exchange.outcome is not None:
            _log_counts(exchange)
        if self._audit is not None:
            self._audit.add(audit_row(exchange, self._audit.instance, seconds, self._with_text))

    def _measure(self, exchange: Exchange, seconds: float) -> None:
        metrics = self._metrics
        metrics.requests.labels(str(exchange.status)).inc()
        metrics.seconds.observe(seconds)
        if exchange.watch.first_text_s is not None:
            metrics.ttft.observe(exchange.watch.first_text_s)
        if exchange.ticket is not None and exchange.ticket.queue_s is not None:
            metrics.queue.observe(exchange.ticket.queue_s)
        for stage, usage in _spent(exchange).items():
            metrics.spent(stage, usage)
        if exchange.outcome is not None:
            metrics.observe(exchange.outcome.report)


def _spent(exchange: Exchange) -> dict[str, Usage]:
    if exchange.passed is not None:
        return {"bypass": of_json(exchange.passed.usage)}
    return exchange.work.stages() if exchange.work is not None else {}


def _end_span(exchange: Exchange) -> None:
    span, chat = exchange.span, exchange.chat
    usage = sum(_spent(exchange).values(), Usage())
    count(
        span,
        request_id=exchange.request_id,
        status=exchange.status,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
    )
    if chat is not None:
        count(span, model=chat.model, n=chat.policy.n, plan=chat.policy.plan, bypass=chat.bypass or "")
    if exchange.status >= 500:
        span.set_status(StatusCode.ERROR, exchange.error)
    span.end()


def _log_counts(exchange: Exchange) -> None:
    """Counts only: what people ask and what models answer stays out of logs."""
    assert exchange.outcome is not None
    report = exchange.outcome.report
    _log.info(
        "%s n=%d completed=%d selected=%d stop=%s tokens=%d seconds=%.2f",
        exchange.request_id, len(report.candidates), report.n_completed, report.selected, report.stop,
        exchange.outcome.usage.completion, report.seconds,
    )  # fmt: skip
