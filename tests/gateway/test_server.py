"""The gateway as a process: its config file, its refusals, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from hexad.gateway.server import ENGINE_KEY, SCORER_KEY, main, read_config

from .conftest import question
from .upstream import Engine, wait_for


def write_config(folder: Path, **fields: Any) -> Path:
    path = folder / "gateway.json"
    path.write_text(json.dumps({"model": "k", "engine_url": "http://127.0.0.1:9", "engine_model": "m"} | fields))
    return path


def test_sigterm_stops_accepting_and_lets_running_requests_finish(
    engine: Engine, engine_url: str, tmp_path: Path
) -> None:
    engine.held = True
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = write_config(tmp_path, engine_url=engine_url, port=port, audit_store=f"file://{tmp_path}/store")
    process = subprocess.Popen([sys.executable, "-m", "hexad.gateway.server", "--config", str(config)])
    url = f"http://127.0.0.1:{port}"
    replies: list[httpx.Response] = []
    body = {"model": "k:bo3", "messages": question()}
    asking = threading.Thread(
        target=lambda: replies.append(httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20))
    )
    try:
        wait_for(lambda: _answers(f"{url}/readyz"), 20)
        asking.start()
        wait_for(lambda: engine.open_streams == 3)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: not _answers(f"{url}/livez"))
        assert process.poll() is None
        engine.held = False
        asking.join(10)
        assert replies[0].json()["choices"][0]["message"]["content"] == "1"
        process.wait(10)
        (part,) = tmp_path.glob("store/audit/*/*.jsonl")
        assert len(part.read_text().splitlines()) == 1
    finally:
        process.kill()
        process.wait()


def test_the_gateway_imports_no_torch() -> None:
    code = "import sys, hexad.gateway.server, hexad.gateway.ask; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_engines_keys_come_from_the_environment_and_are_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_KEY, "sesame")
    monkeypatch.setenv(SCORER_KEY, "millet")
    config = read_config(write_config(tmp_path), port=1234)
    assert config.engine_key is not None and config.scorer_key is not None
    assert config.scorer_key.get_secret_value() == "millet"
    assert config.engine_key.get_secret_value() == "sesame"
    assert config.port == 1234
    assert "sesame" not in repr(config) and "millet" not in repr(config)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"n": 0, "top_p": 7}, ("n: ", "top_p: ")),
        ({"modle": "x"}, ("modle: ",)),
        ({"audit_store": "file://relative"}, ("file://relative", "absolute")),
        ({"host": "0.0.0.0"}, ("api_key_hashes", "allow_anonymous")),
    ],
)
def test_a_config_that_cannot_be_served_is_exit_code_2_with_every_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert main(["--config", str(write_config(tmp_path, **fields))]) == 2
    message = capsys.readouterr().err
    assert all(part in message for part in told)


def test_a_missing_config_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
