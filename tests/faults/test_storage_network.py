"""What a store does when the network or the server fails, and when it is refused."""

import os
import socket
import time
from pathlib import Path

import pytest
from faulty_proxy import Fault, FaultyProxy

from hexad.records import Provenance
from hexad.storage import (
    AccessRefused,
    BucketMissing,
    DiskFull,
    StorageError,
    StoreUnreachable,
    commit_tree,
    fetch_tree,
    open_store,
    read_manifest,
)
from hexad.storage.s3 import S3Settings, S3Store

MADE_BY = Provenance(stage="sft")
MIB = 2**20


@pytest.fixture
def uri() -> str:
    return f"s3://hexad-faults/{os.urandom(8).hex()}"


def behind(proxy: FaultyProxy, environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "HEXAD_S3_ENDPOINT": proxy.endpoint}


def assert_one_clear_line(error: StorageError, *parts: str) -> None:
    text = str(error)
    assert "\n" not in text
    assert all(part in text for part in parts), text


@pytest.mark.parametrize("fault", ["503", "drop", "cut"])
def test_a_passing_fault_of_every_request_is_not_noticed(
    s3_environment: dict[str, str], uri: str, tmp_path: Path, fault: Fault
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "small").write_bytes(b"x" * 1000)
    (tmp_path / "out" / "large").write_bytes(os.urandom(20 * MIB))

    def first_time(method: str, path: str, earlier: int) -> Fault:
        # A reply cut in half is a fault of bodies that are read: the uploads' own replies have nearly none.
        return fault if earlier == 0 and (fault != "cut" or (method == "GET" and "?" not in path)) else ""

    with FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], first_time) as proxy:
        store = open_store(uri, behind(proxy, s3_environment))
        manifest = commit_tree(store, tmp_path / "out", uri, MADE_BY, {})
        assert read_manifest(store, uri) == manifest
        fetch_tree(store, manifest, tmp_path / "in")
    assert (tmp_path / "in" / "large").read_bytes() == (tmp_path / "out" / "large").read_bytes()


def test_a_store_that_stays_busy_is_reported_after_five_tries(s3_environment: dict[str, str], uri: str) -> None:
    tries = []

    def busy(method: str, path: str, earlier: int) -> Fault:
        tries.append(path)
        return "503"

    with FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], busy) as proxy:
        store = open_store(uri, behind(proxy, s3_environment))
        with pytest.raises(StoreUnreachable) as error:
            store.read_bytes(f"{uri}/a")
    assert_one_clear_line(error.value, f"{uri}/a", proxy.endpoint, "SlowDown", "try again later")
    assert len(tries) == 5


def test_a_missing_store_is_one_clear_line_within_ten_seconds(s3_environment: dict[str, str], uri: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(StoreUnreachable) as error:
        read_manifest(open_store(uri, {**s3_environment, "HEXAD_S3_ENDPOINT": endpoint}), uri)
    assert_one_clear_line(error.value, uri, endpoint, "refused", "start the store or check HEXAD_S3_ENDPOINT")
    assert time.monotonic() - started < 10


def test_a_server_that_is_no_store_is_one_clear_line(
    s3_environment: dict[str, str], uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_STORE_TRIES", "2")
    with FaultyProxy("http://127.0.0.1:9", lambda *_: "drop") as proxy, pytest.raises(StoreUnreachable) as error:
        open_store(uri, behind(proxy, s3_environment)).read_bytes(f"{uri}/a")
    assert_one_clear_line(error.value, uri, proxy.endpoint, "check HEXAD_S3_ENDPOINT")


@pytest.mark.parametrize("wrong", ["HEXAD_S3_ACCESS_KEY", "HEXAD_S3_SECRET_KEY"])
def test_wrong_keys_are_one_clear_line_at_once(
    s3_environment: dict[str, str], uri: str, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    store = open_store(uri, {**s3_environment, wrong: "wrong-key"})
    calls = (
        lambda: read_manifest(store, uri),
        lambda: store.list(uri),
        lambda: store.exists(uri),
        lambda: store.write_bytes(f"{uri}/a", b"x"),
        lambda: commit_tree(store, tmp_path, uri, MADE_BY, {}),
    )
    started = time.monotonic()
    for call in calls:
        with pytest.raises(AccessRefused) as error:
            call()
        assert_one_clear_line(error.value, uri, "refused the keys", "HEXAD_S3_ACCESS_KEY")
        assert "wrong-key" not in str(error.value)
    assert time.monotonic() - started < 2


def test_a_missing_bucket_is_one_clear_line(s3_environment: dict[str, str]) -> None:
    uri = "s3://no-such-bucket/a"
    with pytest.raises(BucketMissing) as error:
        open_store(uri, s3_environment).read_bytes(uri)
    assert_one_clear_line(error.value, uri, "no bucket 'no-such-bucket'", "create it or correct the store URI")


def test_a_full_store_is_one_clear_line_and_not_tried_again(s3_environment: dict[str, str], uri: str) -> None:
    puts = []

    def full(method: str, path: str, earlier: int) -> Fault:
        puts.append(path)
        return "507"

    with FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], full) as proxy, pytest.raises(DiskFull) as error:
        open_store(uri, behind(proxy, s3_environment)).write_bytes(f"{uri}/a", b"x")
    assert_one_clear_line(error.value, uri, "no space left", "free space there")
    assert len(puts) == 1


def test_an_interrupted_commit_sends_only_what_is_missing(
    s3_environment: dict[str, str], uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        (tmp_path / f"f{n}").write_bytes(bytes([n]) * 1000)

    monkeypatch.setenv("HEXAD_STORE_TRIES", "1")

    def last_is_lost(method: str, path: str, earlier: int) -> Fault:
        return "drop" if method == "PUT" and path.endswith("f5") else ""

    with (
        FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], last_is_lost) as proxy,
        pytest.raises(StoreUnreachable, match="f5"),
    ):
        commit_tree(open_store(uri, behind(proxy, s3_environment)), tmp_path, uri, MADE_BY, {})
    with FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], lambda *_: "") as proxy:
        store = open_store(uri, behind(proxy, s3_environment))
        assert read_manifest(store, uri) is None
        commit_tree(store, tmp_path, uri, MADE_BY, {})
        sent = [path.rpartition("/")[2] for method, path, _ in proxy.requests if method == "PUT"]
    assert "f5" in sent and sent[-1] == "manifest.json"
    assert len(sent) < 6, "finished files were sent again"


@pytest.mark.parametrize("changed", [False, True], ids=["same object", "replaced object"])
def test_a_broken_ranged_download_goes_on_unless_the_object_changed(
    s3_environment: dict[str, str], uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    part, parts = 5 * MIB, 4
    data = os.urandom(part * parts - 7)
    direct = open_store(uri, s3_environment)
    direct.write_bytes(f"{uri}/model", data)
    monkeypatch.setenv("HEXAD_STORE_TRIES", "1")

    def third_is_lost(method: str, path: str, earlier: int) -> Fault:
        return "drop" if method == "GET" and earlier == 2 else ""

    with FaultyProxy(s3_environment["HEXAD_S3_ENDPOINT"], third_is_lost) as proxy:
        store = S3Store(S3Settings.from_environment(behind(proxy, s3_environment)), part_bytes=part)
        with pytest.raises(StoreUnreachable):
            store.download(f"{uri}/model", tmp_path / "model")
        assert not (tmp_path / "model").exists()
        before = {where for method, _, where in proxy.requests if method == "GET"}
        if changed:
            data = os.urandom(len(data))
            direct.write_bytes(f"{uri}/model", data)
        proxy.requests.clear()
        proxy.decide = lambda *_: ""
        store.download(f"{uri}/model", tmp_path / "model")
        after = {where for method, _, where in proxy.requests if method == "GET"}
    assert (tmp_path / "model").read_bytes() == data
    assert len(before) >= 2
    assert len(after) == parts if changed else not before & after
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]
