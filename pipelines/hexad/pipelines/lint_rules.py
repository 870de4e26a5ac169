"""Rules for what a container runs and for secrets, which hold for every format that a pipeline is compiled to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_GIT_TAG = re.compile(r":(?:git-)?[0-9a-f]{12,40}$")
_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key|(?:access|secret|private)_?key|credential)s?$")
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"),
    "an API key": re.compile(r"\b(?:sk|csk)-[A-Za-z0-9_-]{24,}\b"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}$]+:[^\s/@'\"{}$]+@"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that must not be: where, what, and what to do about it."""

    task: str
    value: str
    mend: str

    def __str__(self) -> str:
        return f"{self.task}: {self.value}; {self.mend}"


def container(name: str, made: Document, mutable_images: bool) -> Iterator[Finding]:
    """Findings in one container: its program, its image and its environment."""
    program = " ".join([*made.get("command", []), *made.get("args", [])])
    if re.search(r"\bpip3?['\"]?,? +['\"]?install\b", program):
        yield Finding(name, "installs packages when it runs", "build them into its image (packages_to_install=[])")
    image = made.get("image", "")
    if "{{" in image:
        yield Finding(name, f"image {image} is a run-time parameter", "name the image when the pipeline is compiled")
    elif not mutable_images:
        yield from _image(name, image)
    for variable in made.get("env", []):
        value = str(variable.get("value", ""))
        if "{{channel:" in value:
            mend = "Kubeflow does not fill it in: pass it as a parameter of the component"
            yield Finding(name, f"environment variable {variable['name']} holds an unresolved channel", mend)
        elif value and _SECRET_NAME.search(variable["name"]):
            mend = "take it from a Kubernetes secret by name (store_secret, tasks.secret_environment)"
            yield Finding(name, f"environment variable {variable['name']} holds a value", mend)


def secrets(place: str, value: object) -> Iterator[Finding]:
    """Secret values in any text, with the way there; the value itself is not repeated."""
    if isinstance(value, str):
        for what, pattern in _SECRETS.items():
            if pattern.search(value):
                yield Finding(place, f"holds {what}", "take it out, revoke it, and name a Kubernetes secret instead")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secrets(f"{place}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from secrets(f"{place}[{index}]", inner)


def _image(name: str, image: str) -> Iterator[Finding]:
    if not (_DIGEST.search(image) or _GIT_TAG.search(image)):
        mend = "name it by digest (…@sha256:…) or by the commit it was built from"
        yield Finding(name, f"image {image} can move under its tag, which no cache sees", mend)
