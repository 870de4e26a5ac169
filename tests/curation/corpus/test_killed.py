"""Curation of sources that is killed, at any step and in the middle of one, goes on to the same bytes."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from random import Random

import pytest

from hexad.curation.corpus import run as corpus_run
from hexad.curation.corpus.config import CorpusConfig

from .made import am_row, base_model, digests, guru_row, items, question, response, run, source, write_jsonl

CONFIG = CorpusConfig(part_mib=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder with sources and base, and what a run that nobody kills makes of them."""
    folder = tmp_path_factory.mktemp("sources")
    rng = Random(1)
    asked = [question(rng) for _ in range(90)]
    for n in range(3):
        write_jsonl(
            folder / f"{n}.jsonl", [am_row(f"{text} Please." * n or text, response(rng)) for text in asked[n::2]]
        )
    write_jsonl(folder / "prompts.jsonl", [guru_row(text, "4") for text in asked[60:]])
    base_model(folder / "base")
    _curate(folder, folder / "whole")
    return folder, digests(folder / "whole")


def _curate(folder: Path, work: Path) -> None:
    sources = [source(folder / f"{n}.jsonl") for n in range(3)] + [source(folder / "prompts.jsonl", "guru")]
    run(sources, CONFIG, work, folder / "base", items("Is this the benchmark's only question?"))


def _in_a_child(folder: Path, work: Path, kill_after: float | None) -> int:
    child = multiprocessing.get_context("fork").Process(target=_curate, args=(folder, work))
    child.start()
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    return child.exitcode or 0


def test_kills_at_many_moments_change_no_byte(undisturbed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, wanted = undisturbed
    killed = 0
    for step in range(12):
        killed += _in_a_child(folder, tmp_path / "work", 0.01 * step * step) == -signal.SIGKILL
    assert killed >= 2
    assert _in_a_child(folder, tmp_path / "work", None) == 0
    assert digests(tmp_path / "work") == wanted


@pytest.mark.parametrize("step", ["clean", "find_duplicates", "finish"])
def test_a_step_that_dies_half_way_is_done_again(
    step: str, undisturbed: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, wanted = undisturbed
    real = getattr(corpus_run, step)

    def dies(*arguments: object) -> None:
        out = arguments[-1]
        assert isinstance(out, Path)
        real(*arguments)
        next(path for path in sorted(out.rglob("*")) if path.is_file()).write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(corpus_run, step, dies)
        with pytest.raises(KeyboardInterrupt):
            _curate(folder, tmp_path / "work")
    _curate(folder, tmp_path / "work")
    found = digests(tmp_path / "work")
    assert {name: found[name] for name in wanted} == wanted and found.keys() == wanted.keys()
