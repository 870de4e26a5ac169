"""One unpacked kubectl a session."""

from pathlib import Path

import pytest

from .kustomize import unpack_kubectl


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_kubectl(tmp_path_factory.mktemp("kubectl"))
