"""A store whose certificate the company's own authority signed is trusted by HEXAD_S3_CA, as text or as a file."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.loopback import listening
from tests.own_certificate import serving_with

from hexad.preflight.store import store_clock
from hexad.storage import BadStoreUri, StoreUnreachable, open_store

CONTENT = b"hexad"


class OneObject(BaseHTTPRequestHandler):
    """Enough of S3 to be read from: what is tested is the connection."""

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return tmp_path / "ca.crt"


@pytest.fixture
def environment(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Of a process that uses the store, without the certificate."""
    monkeypatch.setenv("HEXAD_STORE_TRIES", "1")
    with listening(OneObject, serving_with(certificate)) as address:
        yield {"HEXAD_S3_ENDPOINT": f"https://{address}", "HEXAD_S3_ACCESS_KEY": "k", "HEXAD_S3_SECRET_KEY": "s"}


def test_its_text_is_trusted_as_a_secret_gives_it(environment: dict[str, str], certificate: Path) -> None:
    store = open_store("s3://bucket", {**environment, "HEXAD_S3_CA": certificate.read_text()})
    assert store.read_bytes("s3://bucket/object") == CONTENT


def test_a_file_of_it_is_trusted(environment: dict[str, str], certificate: Path) -> None:
    store = open_store("s3://bucket", {**environment, "HEXAD_S3_CA": str(certificate)})
    assert store.read_bytes("s3://bucket/object") == CONTENT


def test_without_it_the_error_names_the_variable(environment: dict[str, str]) -> None:
    with pytest.raises(StoreUnreachable, match=r"SSLError.*; check HEXAD_S3_ENDPOINT, and HEXAD_S3_CA for"):
        open_store("s3://bucket", environment).read_bytes("s3://bucket/object")


def test_the_clock_of_such_a_store_is_read_too(
    environment: dict[str, str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_S3_CA", str(certificate))
    assert store_clock(environment["HEXAD_S3_ENDPOINT"]).found == "agrees with ours"


@pytest.mark.parametrize(
    "given, told",
    [
        ("/nowhere/ca.crt", "HEXAD_S3_CA='/nowhere/ca.crt': No such file or directory; give a file"),
        ("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----", "HEXAD_S3_CA: holds no certificate in PEM form"),
    ],
)
def test_what_is_no_certificate_is_refused_with_the_mend(environment: dict[str, str], given: str, told: str) -> None:
    with pytest.raises(BadStoreUri, match=told):
        open_store("s3://bucket", {**environment, "HEXAD_S3_CA": given})
