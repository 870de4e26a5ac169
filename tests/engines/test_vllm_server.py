"""A real vLLM server: it answers, forks what it needs, and leaves nothing behind when it is killed."""

import os
import signal
import time
from pathlib import Path

import pytest

from hexad.engines import Sampling
from hexad.engines.http_engine import HttpEngine
from hexad.engines.vllm_server import VllmServer, engine_arguments, free_port
from hexad.records import Message

pytestmark = pytest.mark.engine
MODEL = Path(__file__).parents[2] / "models" / "quickstart-base"


def session(leader: int) -> list[int]:
    """Living processes of the session that `leader` began."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:
            continue
        if fields and int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def test_a_killed_server_takes_its_engine_along(tmp_path: Path) -> None:
    port = free_port()
    arguments = engine_arguments(
        str(MODEL), "base", port, max_model_len=256, max_num_seqs=8, dtype="float32", kv_cache_gib=0.1
    )
    with VllmServer(arguments, port, tmp_path / "engine.log", threads=1) as server:
        question = [Message(role="user", content="12 + 30 = ?")]
        ((said,),) = HttpEngine(server.base_url, "base").generate([question], Sampling(max_tokens=8))
        assert 0 < said.tokens <= 8
        # Each sample's own length: one that was cut off has all tokens, others stop before.
        counting = HttpEngine(server.base_url, "base", token_ids=True)
        samples = [one for row in counting.generate([question] * 4, Sampling(n=4, max_tokens=40)) for one in row]
        assert {one.tokens for one in samples if one.finish_reason == "length"} == {40}
        assert min(one.tokens for one in samples) < 40
        assert server.pid is not None
        assert len(session(server.pid)) >= 3  # server, engine core, worker
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while (left := session(server.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []
