"""What /metrics tells: one registry per gateway, so that two in one process do not mix."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hexad.gateway.report import ScaffoldReport
from hexad.gateway.slots import Slots
from hexad.gateway.usage import Usage

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_SHARES = (0.25, 0.34, 0.5, 0.67, 0.75, 1.0)


class Metrics:
    """Counters by name; labels never hold text of a request."""

    def __init__(self, slots: Slots) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "hexad_requests", "Chat requests by HTTP status; 499: left.", ["status"], registry=registry
        )
        self.seconds = Histogram("hexad_request_seconds", "Seconds per request.", buckets=_SECONDS, registry=registry)
        self.bypassed = Counter("hexad_bypassed", "Requests sent to one sample.", ["reason"], registry=registry)
        self.candidates = Counter("hexad_candidates", "Candidates by how they ended.", ["finish"], registry=registry)
        self.plans = Counter("hexad_plans", "Planning calls by what became of them.", ["outcome"], registry=registry)
        self.tokens = Counter(
            "hexad_completion_tokens", "Tokens written, by stage, also for requests that failed.", ["stage"],
            registry=registry,
        )  # fmt: skip
        self.read = Counter("hexad_prompt_tokens", "Tokens read, by stage, likewise.", ["stage"], registry=registry)
        self.ttft = Histogram(
            "hexad_ttft_seconds", "From arrival to the first text for the client.", buckets=_SECONDS, registry=registry
        )
        self.engine_ttft = Histogram(
            "hexad_engine_ttft_seconds", "From an engine call's start to its first text, by stage.", ["stage"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.queue = Histogram(
            "hexad_queue_seconds", "From admission to the first engine call.", buckets=_SECONDS, registry=registry
        )
        self.saved = Counter("hexad_tokens_saved", "Estimated tokens not written: early stop.", registry=registry)
        self.selected = Counter(
            "hexad_selected_index", "Index of the chosen of several candidates: uneven counts mean bias.", ["index"],
            registry=registry,
        )  # fmt: skip
        self.agreement = Histogram(
            "hexad_agreement", "Share of candidates in the winner's group.", buckets=_SHARES, registry=registry
        )
        self.margin = Histogram(
            "hexad_verifier_margin", "Best score minus the mean of the others.", buckets=(0, 0.1, 0.25, 0.5, 0.75, 1),
            registry=registry,
        )  # fmt: skip
        self.upstream_errors = Counter("hexad_upstream_errors", "Engine calls failed.", ["stage"], registry=registry)
        self.scorer_failures = Counter("hexad_scorer_failures", "Scorings replaced by majority.", registry=registry)
        self.audit_rows = Counter(
            "hexad_audit_rows", "Audit rows that the store has, or that were dropped.", ["outcome"], registry=registry
        )
        self.audit_failures = Counter("hexad_audit_failures", "Writes that the store failed.", registry=registry)
        Gauge("hexad_waiting", "Requests waiting.", registry=registry).set_function(lambda: slots.waiting)
        Gauge("hexad_in_flight", "Engine calls in flight.", registry=registry).set_function(lambda: slots.in_flight)

    def observe(self, report: ScaffoldReport) -> None:
        """Count one answered request."""
        for candidate in report.candidates:
            self.candidates.labels(candidate.finish_reason).inc()
        self.saved.inc(report.tokens_saved)
        if len(report.candidates) == 1:
            return
        self.selected.labels(str(report.selected)).inc()
        group = report.groups[report.selected]
        self.agreement.observe(report.groups.count(group) / len(report.candidates))
        scores = sorted((c.score for c in report.candidates if c.score is not None), reverse=True)
        if len(scores) > 1:
            self.margin.observe(scores[0] - sum(scores[1:]) / (len(scores) - 1))

    def spent(self, stage: str, usage: Usage) -> None:
        """Count what one stage of one request read and wrote."""
        self.tokens.labels(stage).inc(usage.completion)
        self.read.labels(stage).inc(usage.prompt)

    def first_text(self, stage: str) -> Callable[[], None]:
        """To be called at each piece of text of an engine call that starts now; the first call is observed."""
        started, seen = time.monotonic(), False

        def on_piece() -> None:
            nonlocal seen
            if not seen:
                seen = True
                self.engine_ttft.labels(stage).observe(time.monotonic() - started)

        return on_piece

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
