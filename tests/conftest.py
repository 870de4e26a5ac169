"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from hexad.storage import Store, open_store
from hexad.storage.embedded import EmbeddedS3

# Time per example says how busy the machine is, not whether a property holds.
settings.register_profile("hexad", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hexad")


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """HEXAD_S3_* variables of a real S3 server that runs as long as the session."""
    with EmbeddedS3(tmp_path_factory.mktemp("s3")) as server:
        yield server.environment()


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A store and a fresh URI in it: once in a local folder, once in the real S3 server."""
    if request.param == "file":
        uri = f"file://{tmp_path_factory.mktemp('store')}/place"
        return open_store(uri), uri
    uri = f"s3://hexad-tests/{os.urandom(8).hex()}"
    return open_store(uri, request.getfixturevalue("s3_environment")), uri
