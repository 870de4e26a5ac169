"""An image registry that speaks the distribution API's HEAD of manifests, with the logins there are."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.loopback import listening

PASSWORD = "a-password-that-nobody-prints-90ab"
_BASIC = "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
_TOKEN = "a-token-for-one-repository"


@dataclass
class StubRegistry:
    images: set[tuple[str, str]]
    """Repository and digest of what was pushed."""
    scheme: str = "Bearer"
    """How to log in; empty: anybody may pull."""
    realm: str = ""
    """Of the token server; empty: this one."""
    host: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def challenge(self) -> str:
        realm = self.realm or f"http://{self.host}/token"
        token = f'Bearer realm="{realm}",service="stub",scope="repository:hexad/train:pull"'
        return token if self.scheme == "Bearer" else 'Basic realm="stub"'

    def lets_in(self, authorization: str) -> bool:
        return {"Bearer": f"Bearer {_TOKEN}", "Basic": _BASIC, "": authorization}[self.scheme] == authorization


def _handler(stub: StubRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            stub.asked.append(("HEAD", self.path))
            if not stub.lets_in(self.headers.get("Authorization", "")):
                self._send(401, {"WWW-Authenticate": stub.challenge()})
                return
            assert "application/vnd.oci.image.index.v1+json" in self.headers["Accept"]
            repository, _, version = self.path.removeprefix("/v2/").partition("/manifests/")
            self._send(200 if (repository, version) in stub.images else 404)

        def do_GET(self) -> None:
            stub.asked.append(("GET", self.path))
            url = urlsplit(self.path)
            asked = parse_qs(url.query)
            known = url.path == "/token" and asked["scope"] == ["repository:hexad/train:pull"]
            allowed = known and self.headers.get("Authorization") == _BASIC
            self._send(200 if allowed else 401, body=json.dumps({"token": _TOKEN}).encode() if allowed else b"{}")

        def _send(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests read the client's logs."""

    return Handler


@contextmanager
def serving(stub: StubRegistry) -> Iterator[StubRegistry]:
    with listening(_handler(stub)) as stub.host:
        yield stub
