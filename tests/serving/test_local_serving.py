"""`hexad serve` as a user starts it: a real engine over a bundle in a store, and nothing left when it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hexad.engines.vllm_server import free_port
from hexad.records import Bundle, Provenance
from hexad.storage import commit_tree, open_store

pytestmark = pytest.mark.engine
MODEL = Path(__file__).parents[2] / "models" / "quickstart-base"
HEXAD = [sys.executable, "-m", "hexad.cli.main"]


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """Store URI of a bundle with the quickstart's base model and no more."""
    folder, uri = tmp_path / "bundle", f"file://{tmp_path}/store/bundles/base/1"
    shutil.copytree(MODEL, folder / "target")
    record = Bundle(
        name="base", target="1", draft=None, verifier=None, chat_template_sha256="0", max_model_len=256,
        engine={"max_model_len": 256, "max_num_seqs": 8, "kv_cache_gib": 0.1, "candidates": 2},
    )  # fmt: skip
    (folder / "bundle.json").write_text(record.model_dump_json())
    commit_tree(open_store(uri), folder, uri, Provenance(stage="serve"), {})
    return uri


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """The cache folder, by whose name in their environment all processes of a test are known."""
    folder = tmp_path / "cache"
    yield folder
    for pid in living(folder):
        os.kill(pid, signal.SIGKILL)


def living(cache: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if f"HEXAD_CACHE={cache}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def start(bundle: str, port: int, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*HEXAD, "serve", bundle, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"HEXAD_CACHE": str(cache)},
    )  # fmt: skip


def test_serving_from_first_line_to_last(bundle: str, cache: Path) -> None:
    port = free_port()
    with start(bundle, port, cache) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "answers at" in line:
                break
        url = f"http://127.0.0.1:{port}"
        assert f"base answers at {url}/v1" in said[-1], process.communicate()[1]
        assert any(line.startswith("starting the engine") and "engine.log" in line for line in said)

        # A question without max_tokens: the default must leave room for the prompt.
        question = {"model": "base", "messages": [{"role": "user", "content": "12 + 30 = ?"}]}
        answer = httpx.post(f"{url}/v1/chat/completions", json=question, timeout=60)
        assert answer.json()["usage"]["completion_tokens"] > 0
        assert "text/html" in httpx.get(f"{url}/").headers["content-type"]

        second = start(bundle, port, cache)
        assert f"port {port} of 127.0.0.1: Address already in use" in second.communicate()[1]
        assert second.returncode == 2

        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert (rest.splitlines()[-1], process.returncode) == ("stopped", 0)
    assert living(cache) == []


def test_a_stop_while_the_engine_starts_leaves_nothing(bundle: str, cache: Path) -> None:
    with start(bundle, free_port(), cache) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("starting the engine")
        deadline = time.monotonic() + 30
        while len(living(cache)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert (rest.splitlines()[-1], process.returncode) == ("stopped", 0)
    assert living(cache) == []
