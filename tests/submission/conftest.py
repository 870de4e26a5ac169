"""A stub of Kubeflow and Kubernetes for each test, and clients of it that do not wait between tries."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stub_kubeflow import TOKEN, StubKubeflow, client, serving

from hexad.submission.api import PipelinesApi


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Every line that any library logs at any level during a test; none of them, nor the output, may hold the token."""
    lines: list[str] = []

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Everything()
    # kfp's client sets the levels of its loggers and urllib3's itself.
    monkeypatch.setattr(logging.Logger, "isEnabledFor", lambda self, level: True)
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)
    shown = capfd.readouterr()
    assert TOKEN not in "".join([*lines, shown.out, shown.err])


@pytest.fixture
def stub() -> Iterator[StubKubeflow]:
    with serving(StubKubeflow(token=TOKEN)) as running:
        yield running


@pytest.fixture
def api(stub: StubKubeflow) -> PipelinesApi:
    return client(stub, TOKEN)


@pytest.fixture
def kubeconfig(stub: StubKubeflow, tmp_path: Path) -> Callable[[], Path]:
    """Writes a kubeconfig that points at the stub, with its token."""

    def write() -> Path:
        file = tmp_path / "kubeconfig"
        file.write_text(
            f"""apiVersion: v1
kind: Config
current-context: stub
contexts: [{{name: stub, context: {{cluster: stub, user: stub}}}}]
clusters: [{{name: stub, cluster: {{server: "{stub.host}"}}}}]
users: [{{name: stub, user: {{token: {TOKEN}}}}}]
"""
        )
        return file

    return write
