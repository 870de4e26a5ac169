"""Audit rows on their way to the store: buffered, written by a thread of its own, never in the way of a request."""

import json
import logging
import threading
import time
from datetime import UTC, datetime

from hexad.gateway.config import GatewayConfig
from hexad.gateway.metrics import Metrics
from hexad.records import AuditRow
from hexad.storage import StorageError, Store

_log = logging.getLogger("hexad.gateway")
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0


class AuditLog:
    """Writes parts `{audit_store}/audit/{date}/{instance}-{seq}.jsonl`, a row a line.

    A part is written after `audit_rows` rows, after `audit_interval_s` seconds, and at the end. While the store fails,
    the same part is tried again, with growing pauses, and rows wait in memory; beyond `audit_buffer_bytes` the newest
    are dropped and counted.
    """

    def __init__(self, store: Store, config: GatewayConfig, instance: str, metrics: Metrics) -> None:
        self.instance = instance
        self._store = store
        self._root = f"{(config.audit_store or '').rstrip('/')}/audit"
        self._rows, self._interval_s, self._most = config.audit_rows, config.audit_interval_s, config.audit_buffer_bytes
        self._metrics = metrics
        self._lines: list[bytes] = []
        self._bytes = 0
        self._parts = 0
        self._closing = threading.Event()
        self._changed = threading.Condition()
        # A daemon: a store that hangs shall not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to write; rows may be added before."""
        self._thread.start()

    def add(self, row: AuditRow) -> None:
        """Take a row over; returns at once, whatever the store does."""
        # escaped JSON: a model's text may hold lone surrogates, which UTF-8 cannot encode
        line = json.dumps(row.model_dump(mode="json")).encode() + b"\n"
        with self._changed:
            kept = self._bytes + len(line) <= self._most
            if kept:
                self._lines.append(line)
                self._bytes += len(line)
                if len(self._lines) >= self._rows:
                    self._changed.notify()
        if not kept:
            self._metrics.audit_rows.labels("dropped").inc()

    def close(self, timeout_s: float) -> None:
        """Write what is left, waiting at most `timeout_s` seconds; no rows may be added afterwards."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.error("the audit store did not answer within %g s; its last rows may be lost", timeout_s)

    def _run(self) -> None:
        while True:
            due = time.monotonic() + self._interval_s
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing.is_set() or len(self._lines) >= self._rows, due - time.monotonic()
                )
                lines, self._lines = self._lines, []
            if lines:
                self._write(lines)
            elif self._closing.is_set():
                return

    def _write(self, lines: list[bytes]) -> None:
        """Until the store has these rows; once closing, a single failure gives them up."""
        uri = f"{self._root}/{datetime.now(UTC):%Y-%m-%d}/{self.instance}-{self._parts:06d}.jsonl"
        self._parts += 1
        data, outcome, pause = b"".join(lines), "written", _FIRST_RETRY_S
        while True:
            last = self._closing.is_set()
            try:
                self._store.write_bytes(uri, data)
                break
            except StorageError as error:
                self._metrics.audit_failures.inc()
                if pause == _FIRST_RETRY_S:
                    _log.error("audit rows cannot be stored and wait in memory: %s", error)
                if last:
                    outcome = "dropped"
                    _log.error("%d audit rows are lost: the store did not take them before the end", len(lines))
                    break
                self._closing.wait(pause)
                pause = min(2 * pause, _LAST_RETRY_S)
        self._metrics.audit_rows.labels(outcome).inc(len(lines))
        with self._changed:
            self._bytes -= len(data)
