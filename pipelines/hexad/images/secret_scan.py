"""Find credentials in files and in an image's archive (`docker save`): in every layer, environment and history.

What is looked for is what a build could carry in from the machine that ran it: keys, tokens, an index's password.
"""

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

_LARGEST = 4 << 20  # bytes; larger files are weights and libraries
_PATTERNS: dict[str, tuple[tuple[bytes, ...], bytes]] = {
    # Inside JSON inside YAML, its line breaks are written as \n or \\n.
    "private key": ((b"PRIVATE KEY-----",), rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\s|\\+n)+[A-Za-z0-9+/=]{40}"),
    "AWS access key": ((b"AKIA", b"ASIA"), rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "Hugging Face token": ((b"hf_",), rb"\bhf_[A-Za-z0-9]{34}\b"),
    "GitHub token": (
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b",
    ),
    "Slack token": ((b"xox",), rb"\bxox[abpr]-[0-9A-Za-z-]{20,}"),
    "Google API key": ((b"AIza",), rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    # OpenAI's, Anthropic's, Cerebras'.
    "API key": ((b"sk-",), rb"\bc?sk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b"),
    "PyPI token": ((b"pypi-AgE",), rb"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    "password in a URL": (
        (b"http://", b"https://", b"s3://", b"postgres"),
        rb"\b(?:https?|s3|postgres(?:ql)?)://[A-Za-z0-9._-]{2,}:[^\s:/@\"'{}<>$%()\[\]]{6,}@[a-z0-9.-]+\.[a-z]{2,}",
    ),
}
"""Kind to what is in every such credential, found at memory's speed, and the form that the whole has."""

KINDS = tuple(_PATTERNS)

_FORMS = {kind: (marks, re.compile(form)) for kind, (marks, form) in _PATTERNS.items()}
_CREDENTIAL_FILES = (".netrc", ".pypirc", ".git-credentials", ".docker/config.json", ".aws/credentials", "pip.conf",
                     ".kube/config", "id_rsa", "id_ed25519", ".env")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A credential, or what looks like one. Never holds the credential itself."""

    place: str
    """File inside the image, or the image's environment or history."""
    kind: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


def in_bytes(place: str, content: bytes) -> Iterator[Finding]:
    """Each kind of credential that `content` holds, once."""
    for kind, (marks, form) in _FORMS.items():
        if any(mark in content for mark in marks) and form.search(content):
            yield Finding(place, kind)


def in_file(name: str, content: bytes) -> Iterator[Finding]:
    """A file whose name says that it holds credentials, and each kind of credential in it."""
    if any(f"/{name}".endswith(f"/{credentials}") for credentials in _CREDENTIAL_FILES):
        yield Finding(name, "file that holds credentials")
    # Bytecode repeats the source beside it.
    if len(content) <= _LARGEST and not name.endswith(".pyc"):
        yield from in_bytes(name, content)


def in_archive(archive: IO[bytes], allowed: Callable[[Finding], bool] = lambda _: False) -> list[Finding]:
    """Findings of a docker archive (one or more images), read as a stream; `allowed` ones are left out."""
    found: list[Finding] = []
    with tarfile.open(fileobj=archive, mode="r|") as outer:
        for member in outer:
            stream = outer.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            if member.name.endswith(".json"):
                found += _in_description(member.name, stream.read())
            elif member.name.endswith(".tar"):
                with tarfile.open(fileobj=stream, mode="r|") as layer:
                    found += _in_layer(layer)
    return [finding for finding in dict.fromkeys(found) if not allowed(finding)]


def _in_layer(layer: tarfile.TarFile) -> Iterator[Finding]:
    for entry in layer:
        content = layer.extractfile(entry) if entry.isfile() and entry.size else None
        if content is not None:
            yield from in_file(entry.name, content.read(_LARGEST + 1))


def _in_description(name: str, content: bytes) -> Iterator[Finding]:
    """An image's configuration: its environment, its labels and the commands that made it."""
    yield from in_bytes(name, content)
    description = json.loads(content)
    environment = (description.get("config") or {}).get("Env") or [] if isinstance(description, dict) else []
    for variable in environment:
        if re.search(r"(?i)(password|secret|token|api_?key)[a-z_]*=.", variable):
            yield Finding(f"{name}: environment", f"variable {variable.partition('=')[0]}")
