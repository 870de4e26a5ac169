"""A server with the Hugging Face hub's endpoints for one dataset, over files of one commit."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "5a1b" * 10


class Hub(ThreadingHTTPServer):
    """`asked` collects "METHOD path" of every request; files below `folder` are the dataset org/name at COMMIT."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        files = sorted(p.relative_to(self.server.folder).as_posix() for p in self.server.folder.rglob("*.*"))
        name = path.removeprefix(f"/datasets/org/name/resolve/{COMMIT}/")
        if path == f"/api/datasets/org/name/revision/{COMMIT}":
            listed = {"id": "org/name", "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
            self._send(200, json.dumps(listed).encode(), with_body, {"Content-Type": "application/json"})
        elif path == f"/api/datasets/org/name/tree/{COMMIT}":
            tree = [{"type": "file", "path": file, "size": len(self._data(file)), "oid": self._oid(file)}
                    for file in files]  # fmt: skip
            self._send(200, json.dumps(tree).encode(), with_body, {"Content-Type": "application/json"})
        elif name in files:
            about = {"X-Repo-Commit": COMMIT, "ETag": f'"{self._oid(name)}"'}
            self._send(200, self._data(name), with_body, about)
        else:
            self._send(404, b"", with_body, {"X-Error-Code": "RevisionNotFound"})

    def _data(self, name: str) -> bytes:
        return (self.server.folder / name).read_bytes()

    def _oid(self, name: str) -> str:
        return hashlib.sha1(self._data(name)).hexdigest()

    def _send(self, status: int, data: bytes, with_body: bool, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if with_body:
            self.wfile.write(data)


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    with Hub(folder) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()
