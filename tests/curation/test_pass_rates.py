"""Difficulty measured over real HTTP: rates, rules, failures, and runs that are killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexad.curation.config import CurateConfig
from hexad.curation.difficulty import by_difficulty
from hexad.curation.job import run
from hexad.curation.pass_rates import PassRateError
from hexad.records import Prompt, Reject, Rollout
from hexad.records.layout import PASS_RATES
from hexad.records.layout import PROMPTS as SPLITS
from hexad.records.shards import read_rows
from hexad.stage import Context

from .corpus.made import items
from .endpoint import Endpoint, answering

WORDS = ("never", "sometimes", "always")
PROMPTS = [
    item.model_copy(update={"id": f"p{n}", "gold": item.gold.model_copy(update={"value": "4"})})
    for n, item in enumerate(items(*(f"What is {n} ({WORDS[n % 3]} solved)?" for n in range(30))))
]
KEEP_SOME = {"filters": {"pass_rates": [{"model": "m"}]}}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with answering() as server:
        yield server


def step(
    url: str, folder: Path, prompts: list[Prompt] = PROMPTS, corpus: dict[str, object] | None = None
) -> list[Prompt | Reject]:
    config = CurateConfig.model_validate({
        "base": {"kind": "random"}, "corpus": corpus or {},
        "pass_rate": {"model": "m", "endpoint": url, "workers": 4, "max_tokens": 30, "temperature": 0.7},
    })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    nowhere = Path("no base model is read")
    return list(by_difficulty(lambda: prompts, config, 5, nowhere, folder, folder / "out", lambda done: None))


def rollouts(folder: Path) -> list[Rollout]:
    return [row for file in sorted((folder / "out").glob("*.parquet")) for row in read_rows(file, Rollout)]


def test_every_prompt_gets_its_share_of_sixteen_correct_answers(endpoint: Endpoint, tmp_path: Path) -> None:
    rows = step(endpoint.url, tmp_path)
    rates = [row.difficulty["m"] for row in rows if isinstance(row, Prompt)]
    assert len(rates) == 30
    assert set(rates[0::3]) == {0.0} and set(rates[2::3]) == {1.0}
    assert all(0 < rate < 1 and (16 * rate).is_integer() for rate in rates[1::3]) and len(set(rates[1::3])) > 2


def test_rollouts_are_kept_with_verdicts_in_the_order_of_the_prompts(endpoint: Endpoint, tmp_path: Path) -> None:
    step(endpoint.url, tmp_path)
    rows = rollouts(tmp_path)
    assert [(row.prompt_id, row.sample) for row in rows] == [(p.id, n) for p in PROMPTS for n in range(16)]
    assert {row.verdict.status for row in rows if row.prompt_id == "p2"} == {"correct"}


def test_the_endpoint_is_asked_by_name_with_every_setting_and_a_seed_of_the_prompts_own(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    step(endpoint.url, tmp_path)
    assert {(b["model"], b["n"], b["temperature"], b["top_p"], b["max_tokens"]) for b in endpoint.bodies} == {
        ("m", 16, 0.7, 1.0, 30)
    }
    seeds = {body["messages"][0]["content"]: body["seed"] for body in endpoint.bodies}
    assert len(set(seeds.values())) == 30
    endpoint.bodies.clear()
    step(endpoint.url, tmp_path / "again", PROMPTS[7:9])
    assert all(seeds[body["messages"][0]["content"]] == body["seed"] for body in endpoint.bodies)


def test_rules_drop_what_is_never_or_always_solved_with_a_reason(endpoint: Endpoint, tmp_path: Path) -> None:
    rows = step(endpoint.url, tmp_path, corpus=KEEP_SOME)
    assert [row.id for row in rows if isinstance(row, Prompt)] == [p.id for p in PROMPTS[1::3]]
    found = {(row.stage, row.reason) for row in rows if isinstance(row, Reject)}
    assert found == {("difficulty", "solved too rarely"), ("difficulty", "solved too often")}


def test_a_prompt_that_comes_with_the_models_rate_is_not_sampled(endpoint: Endpoint, tmp_path: Path) -> None:
    known = PROMPTS[0].model_copy(update={"difficulty": {"m": 0.25, "other": 1.0}})
    (row, _) = step(endpoint.url, tmp_path, [known, PROMPTS[1]])
    assert row == known
    assert endpoint.asked.total() == 1


def test_a_few_failed_prompts_have_no_rate_and_are_asked_again(endpoint: Endpoint, tmp_path: Path) -> None:
    broken = PROMPTS[0].model_copy(update={"id": "b", "prompt": items("A broken one?")[0].prompt})
    rows = step(endpoint.url, tmp_path, [*PROMPTS, broken])
    assert [row.difficulty for row in rows if isinstance(row, Prompt) and row.id == "b"] == [{}]
    assert {row.prompt_id for row in rollouts(tmp_path)} == {p.id for p in PROMPTS}


def test_many_failed_prompts_are_an_error_after_which_only_they_are_asked(tmp_path: Path) -> None:
    with answering(break_after=20) as server:
        with pytest.raises(PassRateError, match=r"the requests of 10 prompts failed, the first with: HTTPStatusError"):
            step(server.url, tmp_path)
        server.break_after = None
        server.asked.clear()
        assert len(step(server.url, tmp_path)) == 30
        assert server.asked.total() == 10


def _kill_when(server: Endpoint, asked: int, folder: Path) -> bool:
    """Whether a run of the step was killed once so many requests had come, before its end."""
    child = multiprocessing.get_context("fork").Process(target=step, args=(server.url, folder))
    child.start()
    while server.asked.total() < asked and child.is_alive():
        time.sleep(0.002)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    return child.exitcode == -signal.SIGKILL


def test_killed_runs_go_on_to_the_rows_of_an_undisturbed_one(tmp_path: Path) -> None:
    with answering() as server:
        whole = step(server.url, tmp_path / "whole")
        server.asked.clear()
        killed = [_kill_when(server, number, tmp_path / "killed") for number in (6, 15, 24)]
        assert any(killed)
        assert step(server.url, tmp_path / "killed") == whole
        assert server.asked.total() < 30 + 3 * 8  # what was in flight at a kill is asked again, nothing else
    assert rollouts(tmp_path / "killed") == rollouts(tmp_path / "whole")


@pytest.mark.parametrize("cut", [1, 40, 900])
def test_a_line_that_a_kill_cut_off_is_sampled_again(cut: int, endpoint: Endpoint, tmp_path: Path) -> None:
    whole = step(endpoint.url, tmp_path)
    before = rollouts(tmp_path)
    log = tmp_path / "pass_rates.jsonl"
    log.write_bytes(log.read_bytes()[:-cut])
    for file in (tmp_path / "out").iterdir():
        file.unlink()
    (tmp_path / "out").rmdir()
    endpoint.asked.clear()
    assert step(endpoint.url, tmp_path) == whole
    assert endpoint.asked.total() == 1 and rollouts(tmp_path) == before


@pytest.mark.parametrize("model", ["", "m"])
def test_curate_measures_its_training_prompts_only_when_a_model_is_named(
    model: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    config = CurateConfig.model_validate({
        "base": {"kind": "random", "vocab": 400},
        "generated": {"traces": 14, "prompts": 7, "validation": 6, "test": 6},
        "pass_rate": {"model": model, "endpoint": endpoint.url, "samples": 2},
        "max_tokens": 2000,
    })  # fmt: skip
    result = run(config, Context(run="test", store=f"file://{tmp_path}", work=str(tmp_path / "work")), {})
    tree = Path(result.manifest.uri.removeprefix("file://"))
    trained = read_rows(tree / SPLITS["train"], Prompt)
    assert [row.difficulty for row in trained] == [{model: 0.0} if model else {}] * 7
    assert endpoint.asked.total() == (7 if model else 0)
    assert (tree / PASS_RATES).exists() == bool(model)
