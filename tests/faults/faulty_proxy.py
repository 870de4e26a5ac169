"""A loopback HTTP proxy in front of the real S3 server, that answers 503 or breaks off where a test asks for it."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["", "503", "507", "drop", "cut"]
"""Pass on, answer SlowDown, answer StorageFull, close without a reply, send half of the body and close."""

_ERROR = "<Error><Code>{}</Code><Message>on purpose</Message></Error>"
_CODES: dict[Fault, str] = {"503": "SlowDown", "507": "XMinioStorageFull"}


class FaultyProxy:
    """Context manager. `decide(method, path, number of earlier requests with that method and path)` picks the fault."""

    def __init__(self, endpoint: str, decide: Callable[[str, str, int], Fault]) -> None:
        self._target = urlsplit(endpoint).netloc
        self.decide = decide
        self.requests: list[tuple[str, str, str]] = []
        """(method, path with query, Range header) of everything that was passed on."""
        self._seen: dict[tuple[str, str], int] = {}
        self._guard = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.answer(proxy.fault_for(self.command, self.path), body)

            def answer(self, fault: Fault, body: bytes) -> None:
                if fault in _CODES:
                    self.reply(int(fault), {"Content-Type": "application/xml"}, _ERROR.format(_CODES[fault]).encode())
                    return
                if fault == "drop":
                    self.close_connection = True
                    return
                proxy.requests.append((self.command, self.path, self.headers.get("Range") or ""))
                upstream = http.client.HTTPConnection(proxy._target, timeout=30)
                upstream.request(self.command, self.path, body, dict(self.headers))
                response = upstream.getresponse()
                data = response.read()
                headers = {
                    k: v for k, v in response.getheaders() if k.lower() not in ("transfer-encoding", "connection")
                }
                headers.setdefault("Content-Length", str(len(data)))
                if fault == "cut":
                    data, self.close_connection = data[: len(data) // 2], True
                self.reply(response.status, headers, data)
                upstream.close()

            def reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def fault_for(self, method: str, path: str) -> Fault:
        with self._guard:
            earlier = self._seen.get((method, path), 0)
            self._seen[method, path] = earlier + 1
        return self.decide(method, path, earlier)

    def __enter__(self) -> "FaultyProxy":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
