"""Datasets of the hub: the files of exactly the pinned commit, once, over the hub's own endpoints."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexad.curation.readers import read_source

from .corpus.made import am_row, write_jsonl, write_parquet
from .hub import COMMIT, Hub, serving
from .test_remote import source

# A process of its own: the client reads HF_ENDPOINT when it is imported.
FETCH = """
import sys
from pathlib import Path
from hexad.curation.readers import SourceConfig
from hexad.curation.readers.remote import localise
source = SourceConfig.model_validate_json(sys.argv[1])
print(localise(source, Path(sys.argv[2]), sys.argv[3:]).path)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub"
    (folder / "data" / "more").mkdir(parents=True)
    write_jsonl(folder / "data/math.jsonl", [am_row("q1", "a1"), am_row("q2", "a2")])
    write_parquet(folder / "data/more/math.parquet", [am_row("q3", "a3")])
    (folder / "README.md").write_text("a card")
    with serving(folder) as server:
        yield server


def fetch(hub: Hub, pattern: str, cache: Path, *only: str, revision: str = COMMIT) -> subprocess.CompletedProcess[str]:
    wanted = source(f"hf://datasets/org/name/{pattern}", revision)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                    "NO_PROXY": "127.0.0.1", "HF_HOME": str(cache / "home")}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", FETCH, wanted.model_dump_json(), str(cache / "files"), *only],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("pattern", ["data/*.jsonl", "**/math.jsonl", "data/**/math.*"])
def test_a_pattern_on_the_hub_reads_as_the_same_pattern_on_disk(pattern: str, hub: Hub, tmp_path: Path) -> None:
    done = fetch(hub, pattern, tmp_path)
    assert done.returncode == 0, done.stderr
    here = list(read_source(source(f"{hub.folder}/{pattern}")))
    assert list(read_source(source(done.stdout.strip()))) == here != []
    assert not [line for line in hub.asked if "README" in line]


def test_only_the_pinned_commit_is_asked_for(hub: Hub, tmp_path: Path) -> None:
    assert fetch(hub, "data/*.jsonl", tmp_path).returncode == 0
    assert any(line.startswith("GET /datasets/") for line in hub.asked)
    assert all(COMMIT in line for line in hub.asked)


def test_a_commit_that_the_dataset_has_not_is_an_error(hub: Hub, tmp_path: Path) -> None:
    done = fetch(hub, "data/*.jsonl", tmp_path, revision="0" * 40)
    assert done.returncode != 0
    assert "RevisionNotFoundError" in done.stderr


def test_what_was_fetched_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    assert fetch(hub, "data/*.jsonl", tmp_path).returncode == 0
    first = [line for line in hub.asked if line.startswith("GET /datasets/")]
    hub.asked.clear()
    assert fetch(hub, "data/*.jsonl", tmp_path).returncode == 0
    assert len(first) == 1
    assert not [line for line in hub.asked if line.startswith("GET /datasets/")]


def test_one_file_of_many_is_fetched_alone(hub: Hub, tmp_path: Path) -> None:
    assert fetch(hub, "data/**/*.*", tmp_path, "more/math.parquet").returncode == 0
    assert [line.rpartition("/")[2] for line in hub.asked if line.startswith("GET /datasets/")] == ["math.parquet"]
