"""From a finished request to its audit row: hashes and numbers; text only where the operator wants it. Pure."""

import hashlib
import json
from typing import Any

from hexad.chat import split
from hexad.gateway.exchange import Exchange
from hexad.gateway.tracing import trace_id
from hexad.gateway.work import Work, finish_of
from hexad.records import AuditCandidate, AuditRow


def audit_row(exchange: Exchange, instance: str, seconds: float, with_text: bool) -> AuditRow:
    """The row of a request that was answered, refused, failed or left."""
    known: dict[str, Any] = {}
    chat, work, passed = exchange.chat, exchange.work, exchange.passed
    if chat is not None:
        known |= {
            "model": chat.model,
            "messages_sha256": _sha256(json.dumps(chat.messages, sort_keys=True, separators=(",", ":"))),
            "messages": chat.messages if with_text else None,
            "sampling": {k: v for k, v in chat.sampling.items() if isinstance(v, int | float)},
            "seed": chat.seed,
            "policy": chat.policy.model_dump(mode="json", exclude={"raw", "events"}),
            "bypass": chat.bypass,
        }
    if work is not None:
        known |= {"candidates": _candidates(exchange, work, with_text), "usage": work.usage().to_json()}
    if exchange.outcome is not None:
        report = exchange.outcome.report
        known |= report.model_dump(include={"selected", "reason", "selector", "stop"})
    if passed is not None and chat is not None:
        known |= {
            "usage": passed.usage,
            "candidates": [
                _candidate(chat.seed + i, text, None, passed.finishes.get(i, "cancelled"), with_text)
                for i, text in passed.texts().items()
            ],
        }
    return AuditRow(
        request_id=exchange.request_id,
        trace_id=trace_id(exchange.span),
        instance=instance,
        time=exchange.at,
        seconds=round(seconds, 4),
        status=exchange.status,
        error=exchange.error,
        caller=exchange.caller,
        **known,
    )


def _candidates(exchange: Exchange, work: Work, with_text: bool) -> list[AuditCandidate]:
    report = exchange.outcome.report if exchange.outcome else None
    rows = []
    for i, draft in enumerate(work.drafts):
        finish = report.candidates[i].finish_reason if report else finish_of(draft, "complete")
        row = _candidate(draft.seed, draft.raw, split(draft.raw).answer, finish, with_text)
        group = report.groups[i] if report else None
        rows.append(row.model_copy(update={"tokens": draft.tokens, "score": work.scores.get(i), "group": group}))
    return rows


def _candidate(seed: int, text: str, answer: str | None, finish: str, with_text: bool) -> AuditCandidate:
    return AuditCandidate(
        seed=seed,
        tokens=0,
        finish_reason=finish,
        text_sha256=_sha256(text),
        answer_sha256=None if answer is None else _sha256(answer),
        text=text if with_text else None,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
