"""Weights reach a node's disk whole, checked, once, and leave it only when nobody uses them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hexad.deployment.fetch import fetch_bundle, in_use, main
from hexad.records import MANIFEST, Manifest
from hexad.storage import CorruptTree, DiskFull, StorageError, Store, TransferProgress
from hexad.storage.local import LocalStore

from .bundles import committed

WEIGHTS = "target/model.safetensors"


class CountingStore(LocalStore):
    """Knows what was downloaded; breaks off before the file in `broken`, as a lost connection does."""

    def __init__(self, broken: str = "") -> None:
        self.downloads: list[str] = []
        self.broken = broken

    def download(self, uri: str, path: Path, progress: TransferProgress | None = None) -> None:
        if self.broken and uri.endswith(self.broken):
            raise StorageError(f"{uri}: connection lost")
        self.downloads.append(uri)
        super().download(uri, path, progress)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return committed(tmp_path / "source", f"file://{tmp_path}/store/bundles/k/1")


def bundle(tmp_path: Path, number: int) -> Manifest:
    weights = b"%d" % number * 100
    return committed(tmp_path / f"source{number}", f"file://{tmp_path}/store/bundles/k/{number}", weights)


def test_every_file_of_the_bundle_is_there(manifest: Manifest, tmp_path: Path) -> None:
    copy = fetch_bundle(LocalStore(), manifest, tmp_path / "node")
    assert copy == tmp_path / "node" / manifest.short
    assert {e.path for e in manifest.files} <= {str(p.relative_to(copy)) for p in copy.rglob("*")}


def test_a_second_fetch_downloads_nothing(manifest: Manifest, tmp_path: Path) -> None:
    fetch_bundle(LocalStore(), manifest, tmp_path / "node")
    store = CountingStore()
    fetch_bundle(store, manifest, tmp_path / "node")
    assert store.downloads == []


def test_a_file_changed_on_disk_is_fetched_again_and_only_that(manifest: Manifest, tmp_path: Path) -> None:
    copy = fetch_bundle(LocalStore(), manifest, tmp_path / "node")
    right = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(right[::-1])
    store = CountingStore()
    fetch_bundle(store, manifest, tmp_path / "node")
    assert (copy / WEIGHTS).read_bytes() == right
    assert [uri.endswith(WEIGHTS) for uri in store.downloads] == [True]


def test_a_touched_file_with_the_right_bytes_stays(manifest: Manifest, tmp_path: Path) -> None:
    copy = fetch_bundle(LocalStore(), manifest, tmp_path / "node")
    os.utime(copy / WEIGHTS)
    store = CountingStore()
    fetch_bundle(store, manifest, tmp_path / "node")
    assert store.downloads == []


def test_a_broken_fetch_shows_no_copy_and_goes_on_where_it_stopped(manifest: Manifest, tmp_path: Path) -> None:
    node = tmp_path / "node"
    first = CountingStore(broken="bundle.json")
    with pytest.raises(StorageError, match="connection lost"):
        fetch_bundle(first, manifest, node)
    assert [path for path in node.iterdir() if not path.name.startswith(".")] == []
    second = CountingStore()
    fetch_bundle(second, manifest, node)
    assert not set(first.downloads) & set(second.downloads)


def test_a_corrupt_object_is_never_shown(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "store/bundles/k/1" / WEIGHTS).write_bytes(b"other")
    with pytest.raises(CorruptTree, match=rf"{WEIGHTS}: expected sha256"):
        fetch_bundle(LocalStore(), manifest, tmp_path / "node")
    assert [path for path in (tmp_path / "node").iterdir() if not path.name.startswith(".")] == []


def test_a_disk_too_small_is_said_before_a_byte_is_sent(tmp_path: Path, manifest: Manifest) -> None:
    huge = manifest.model_copy(
        update={"files": [f.model_copy(update={"bytes": 10**18}) for f in manifest.files if f.path == WEIGHTS]}
    )
    store = CountingStore()
    with pytest.raises(DiskFull, match=r"are missing and .* are free"):
        fetch_bundle(store, huge, tmp_path / "node")
    assert store.downloads == []


def test_two_at_once_download_once(manifest: Manifest, tmp_path: Path) -> None:
    store, said = CountingStore(), list[str]()
    copies: list[Path] = []

    def fetch() -> None:
        copies.append(fetch_bundle(store, manifest, tmp_path / "node", say=said.append))

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(copies)) == 1
    assert len(store.downloads) == len(manifest.files)


def test_old_copies_beyond_the_kept_number_leave(tmp_path: Path) -> None:
    copies = [fetch_bundle(LocalStore(), bundle(tmp_path, n), tmp_path / "node", keep=2) for n in range(4)]
    assert [copy.is_dir() for copy in copies] == [False, False, True, True]


def test_what_a_kill_left_of_a_removed_copy_counts_as_none_and_goes(tmp_path: Path) -> None:
    node = tmp_path / "node"
    old, first = (fetch_bundle(LocalStore(), bundle(tmp_path, n), node) for n in range(2))
    left = old.rename(node / f".removed-{old.name}")
    os.utime(left)
    second = fetch_bundle(LocalStore(), bundle(tmp_path, 2), node)
    assert [copy.is_dir() for copy in (left, first, second)] == [False, True, True]


def test_a_copy_in_use_stays(tmp_path: Path) -> None:
    node = tmp_path / "node"
    first = fetch_bundle(LocalStore(), bundle(tmp_path, 0), node, keep=1)
    with in_use(first):
        second = fetch_bundle(LocalStore(), bundle(tmp_path, 1), node, keep=1)
        assert first.is_dir()
    third = fetch_bundle(LocalStore(), bundle(tmp_path, 2), node, keep=1)
    assert [copy.is_dir() for copy in (first, second, third)] == [False, False, True]


def test_the_shell_s_flock_keeps_a_copy_too(tmp_path: Path) -> None:
    node = tmp_path / "node"
    first = fetch_bundle(LocalStore(), bundle(tmp_path, 0), node, keep=1)
    command = ["flock", "--shared", f"{first}.in-use", "sh", "-c", "echo held; read line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        fetch_bundle(LocalStore(), bundle(tmp_path, 1), node, keep=1)
        assert first.is_dir()
        holder.communicate(b"\n")


def fetch_command(uri: str, to: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hexad.deployment.fetch", "--bundle", uri, "--to", str(to)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_the_copy_s_folder(manifest: Manifest, tmp_path: Path) -> None:
    done = fetch_command(manifest.uri, tmp_path / "node")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/node/{manifest.short}\n")
    assert "100 % of" in done.stderr


def test_the_command_needs_neither_torch_nor_vllm() -> None:
    program = "import sys, hexad.deployment.fetch; sys.exit(bool({'torch', 'vllm', 'kfp'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("file://{store}/bundles/none", "no committed bundle and no current.json there"),
        ("ftp://elsewhere/k", "not a store"),
    ],
)
def test_what_is_no_bundle_ends_with_two(
    uri: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = uri.format(store=tmp_path / "store")
    assert main(["--bundle", uri, "--to", str(tmp_path / "node")]) == 2
    assert says in capsys.readouterr().err


def test_a_bundle_that_must_not_be_served_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unproven = {"method": "ngram", "num_speculative_tokens": 3, "lossless": False}
    made = committed(tmp_path / "source", f"file://{tmp_path}/store/k", speculation=unproven)
    assert main(["--bundle", made.uri, "--to", str(tmp_path / "node")]) == 2
    assert "speculation.lossless: false" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"max_num_seqs": 0}, "engine.max_num_seqs: Input should be greater"), ({"plan": "yes"}, "engine.plan: Input")],
)
def test_settings_that_neither_engine_nor_gateway_would_take_are_named(
    settings: dict[str, object], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = committed(tmp_path / "source", f"file://{tmp_path}/store/k", engine=settings)
    assert main(["--bundle", made.uri, "--to", str(tmp_path / "node")]) == 2
    assert f"bundle.json: {says}" in capsys.readouterr().err


def test_a_corrupt_object_ends_with_one_in_one_line(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store/bundles/k/1/bundle.json").write_bytes(b"{}")
    assert main(["--bundle", manifest.uri, "--to", str(tmp_path / "node")]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if "% of" not in line]
    assert len(errors) == 1
    assert "run the stage again (serve): hexad run, or hexad retry, with --from" in errors[0]


def test_a_tree_of_another_stage_is_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = committed(tmp_path / "source", f"file://{tmp_path}/store/k")
    store: Store = LocalStore()
    other = made.model_copy(update={"files": [f for f in made.files if f.path != "bundle.json"]})
    store.write_bytes(f"{made.uri}/{MANIFEST}", other.to_json().encode())
    assert main(["--bundle", made.uri, "--to", str(tmp_path / "node")]) == 2
    assert "without bundle.json; give one of serve" in capsys.readouterr().err
