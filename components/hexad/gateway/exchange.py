"""One request to the chat endpoint, as metrics, audit and traces see it."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opentelemetry.trace import Span

from hexad.gateway.bypass import Passed
from hexad.gateway.request import ChatRequest
from hexad.gateway.scaffold.scaffold import Outcome
from hexad.gateway.scaffold.work import Work
from hexad.gateway.slots import Ticket

CLIENT_CLOSED = 499
"""nginx's status for a client that left before the answer; nobody reads it but metrics and audit."""


@dataclass
class Stopwatch:
    """When a request arrived, and when its client got the first text.

    Apart from the exchange, since a stream's writer holds it and is held by the exchange: such a circle is freed by the
    garbage collector alone, which stops every other stream for its time.
    """

    arrived: float = field(default_factory=time.monotonic)
    first_text_s: float | None = None

    def text_begins(self) -> None:
        """The client gets its first text now; further calls do nothing."""
        if self.first_text_s is None:
            self.first_text_s = self.seconds()

    def seconds(self) -> float:
        """Since the request arrived."""
        return time.monotonic() - self.arrived


@dataclass
class Exchange:
    """Filled as the request goes on; what is still None at the end was not reached."""

    request_id: str
    span: Span
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    watch: Stopwatch = field(default_factory=Stopwatch)
    status: int = CLIENT_CLOSED
    error: str | None = None
    caller: str | None = None
    chat: ChatRequest | None = None
    work: Work | None = None
    outcome: Outcome | None = None
    passed: Passed | None = None
    ticket: Ticket | None = None
