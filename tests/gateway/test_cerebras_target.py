"""`hexad serve BUNDLE --target cerebras`: a gateway here, the engine elsewhere."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from hexad.engines.vllm_server import free_port
from hexad.records import Bundle

from .cerebras import KEY, Cerebras
from .conftest import question
from .upstream import serve, wait_for


def bundle(folder: Path) -> Path:
    record = Bundle(
        name="k", target="0" * 64, draft=None, verifier=None, chat_template_sha256="0" * 64, max_model_len=4000
    )
    (folder / "bundle.json").write_text(record.model_dump_json())
    return folder


def command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "hexad.cli.main", "serve", str(folder), "--target", "cerebras", "--port", str(port)]


def test_it_answers_from_the_endpoint_without_a_local_engine(tmp_path: Path) -> None:
    cerebras = Cerebras()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serve(cerebras.app()) as url:
        variables = {"CEREBRAS_BASE_URL": f"{url}/v1", "CEREBRAS_MODEL": "qwen", "HEXAD_ENGINE_KEY": KEY}
        process = subprocess.Popen(
            command(bundle(tmp_path), port), env=os.environ | variables, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"k answers at http://127.0.0.1:{port}/v1")
            body = {"model": "k:bo3", "messages": question()}
            answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=20)
            assert answer.json()["choices"][0]["message"]["content"] == "1"
            assert {(c["model"], c["max_completion_tokens"]) for c in cerebras.calls} == {("qwen", 2000)}
            assert cerebras.refusals == []
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            wait_for(lambda: _is_free(port))
        finally:
            process.kill()
            process.wait()


def test_a_gateway_that_dies_ends_the_command_with_its_log(tmp_path: Path) -> None:
    with serve(Cerebras().app()) as url:
        variables = {"CEREBRAS_BASE_URL": f"{url}/v1", "CEREBRAS_MODEL": "qwen", "HEXAD_ENGINE_KEY": KEY}
        process = subprocess.Popen(
            command(bundle(tmp_path), free_port()), env=os.environ | variables | {"HEXAD_CACHE": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None and "answers at" in process.stdout.readline()
            (gateway,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(gateway), signal.SIGKILL)
            _, told = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
    assert (process.returncode, told) == (1, f"the gateway ended; see {tmp_path}/logs/k/gateway.log\n")


def test_without_its_variables_it_is_bad_input_that_names_them(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CEREBRAS_")}
    done = subprocess.run(command(bundle(tmp_path), 8000), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "CEREBRAS_BASE_URL, CEREBRAS_MODEL" in done.stderr


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
