"""One unpacked kubectl a session, and a machine that serves for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .kustomize import unpack_kubectl
from .machine import Machine, serving_a


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_kubectl(tmp_path_factory.mktemp("kubectl"))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with serving_a(tmp_path) as made:
        yield made
