"""What the scan of an image's archive finds, and what it leaves alone."""

import io
import json
import tarfile

import pytest
from tests.images.planted import SECRETS

from hexad.images.secret_scan import KINDS, Finding, in_archive, in_bytes

HARMLESS = [
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "https://user:<password>@host.example/",
    "hf_hub_download and hf_transfer",
    "sk-learn, task-specific-configuration-with-a-long-name",
    "postgresql://user:{password}@localhost/db",
]


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def image(files: dict[str, bytes], environment: list[str], command: str = "COPY") -> io.BytesIO:
    """An archive as `docker save` writes it."""
    config = {"config": {"Env": environment}, "history": [{"created_by": command}]}
    return io.BytesIO(tar({"1/layer.tar": tar(files), "2.json": json.dumps(config).encode()}))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_credential_is_found_in_a_layer(kind: str) -> None:
    assert in_archive(image({"app/x.cfg": SECRETS[kind].encode()}, [])) == [Finding("app/x.cfg", kind)]


@pytest.mark.parametrize("escaped", ["\\n", "\\\\n"])
def test_a_private_key_inside_json_is_found(escaped: str) -> None:
    key = SECRETS["private key"].replace("\n", escaped)
    assert list(in_bytes("settings.json", key.encode())) == [Finding("settings.json", "private key")]


def test_a_cerebras_key_is_an_api_key() -> None:
    assert list(in_bytes("file", b"csk-" + b"a" * 48)) == [Finding("file", "API key")]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_credentials_is_no_finding(text: str) -> None:
    assert list(in_bytes("file", text.encode())) == []


def test_a_file_that_exists_to_hold_credentials_is_a_finding_by_its_name() -> None:
    assert in_archive(image({"root/.netrc": b"machine x"}, [])) == [
        Finding("root/.netrc", "file that holds credentials")
    ]


def test_credentials_in_the_environment_and_in_the_history_are_found() -> None:
    found = in_archive(image({}, ["PATH=/bin", "S3_SECRET_KEY=x"], f"ARG T={SECRETS['GitHub token']}"))
    assert found == [Finding("2.json", "GitHub token"), Finding("2.json: environment", "variable S3_SECRET_KEY")]


def test_a_finding_never_repeats_the_credential() -> None:
    found = in_archive(image({"f": SECRETS["AWS access key"].encode()}, []))
    assert SECRETS["AWS access key"] not in str(found)


def test_written_exceptions_are_left_out() -> None:
    key = {"app/tests/key.pem": SECRETS["private key"].encode()}
    assert in_archive(image(key, []), lambda finding: finding.place.endswith("tests/key.pem")) == []
