"""Compiled pipelines in Kubeflow: one pipeline for a recipe and profile, one version for every different file."""

import hashlib
from pathlib import Path

from hexad.submission.answers import Version
from hexad.submission.api import Exists, PipelinesApi, equals


def version_name(file: Path) -> str:
    """The name of the version that `file` is: the digest of its bytes, so that equal files share one."""
    return f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()[:24]}"


def publish(api: PipelinesApi, file: Path, name: str, namespace: str) -> tuple[Version, bool]:
    """The version of pipeline `name` that holds `file`, uploaded when it is not there; whether it was.

    Two who publish at the same moment both get the one version. Raises ApiError.
    """
    pipeline = _pipeline(api, name, namespace) or _create(api, file, name, namespace)
    version = version_name(file)
    found = _version(api, pipeline, version)
    if found:
        return found, False
    try:
        answer = api.upload("/pipelines/upload_version", file, name=version, display_name=version, pipelineid=pipeline)
    except Exists:
        found = _version(api, pipeline, version)
        if found is None:
            raise
        return found, False
    return Version.model_validate(answer), True


def get(api: PipelinesApi, pipeline_id: str, version_id: str) -> Version:
    """Raises ApiError."""
    return Version.model_validate(api.get(f"/pipelines/{pipeline_id}/versions/{version_id}"))


def _create(api: PipelinesApi, file: Path, name: str, namespace: str) -> str:
    """Kubeflow makes a first version, called like the pipeline, of what a pipeline is created with."""
    try:
        made = api.upload("/pipelines/upload", file, name=name, display_name=name, namespace=namespace)
    except Exists:
        found = _pipeline(api, name, namespace)
        if found is None:
            raise
        return found
    return str(made["pipeline_id"])


def _pipeline(api: PipelinesApi, name: str, namespace: str) -> str | None:
    answer = api.get("/pipelines", namespace=namespace, filter=equals("display_name", name), page_size=10)
    return next((str(p["pipeline_id"]) for p in answer.get("pipelines", []) if p.get("display_name") == name), None)


def _version(api: PipelinesApi, pipeline: str, name: str) -> Version | None:
    answer = api.get(f"/pipelines/{pipeline}/versions", filter=equals("display_name", name), page_size=10)
    found = map(Version.model_validate, answer.get("pipeline_versions", []))
    return next((version for version in found if version.display_name == name), None)
