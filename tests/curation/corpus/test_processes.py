"""Parts dealt to several processes: what fails there is told soon, and with what to do."""

import os
import signal
import time
from pathlib import Path

import pytest

from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.run import Corpus

TWO = CorpusConfig(shards=2)


def corpus(work: Path) -> Corpus:
    return Corpus((), TWO, work, ())


def touch(path: Path) -> None:
    time.sleep(0.05)
    path.touch()


def fail() -> None:
    raise ValueError("no such column")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_sources_without_parts_need_no_process(tmp_path: Path) -> None:
    told: list[float] = []
    corpus(tmp_path).finish(tmp_path, 100, lambda done, note: told.append(done))
    assert told == []


def test_after_a_failure_no_further_part_is_begun(tmp_path: Path) -> None:
    tasks = [(fail,), *((touch, tmp_path / str(n)) for n in range(40))]
    with pytest.raises(ValueError, match="no such column"):
        corpus(tmp_path)._each(tasks, lambda _: None)
    assert len(list(tmp_path.iterdir())) < 30


def test_a_process_that_was_killed_is_told_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"a process was killed, .*; lower corpus\.shards .*finished parts are kept"):
        corpus(tmp_path)._each([(die,), (touch, tmp_path / "x")], lambda _: None)
