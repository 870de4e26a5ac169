"""Which rows of the sources join the generated ones, and why the others do not."""

import json
from pathlib import Path

from hexad.curation.config import CurateConfig
from hexad.curation.generate import Generated
from hexad.curation.job import with_sources
from hexad.curation.splits import split_of
from hexad.records import Reject

NOTHING = Generated(traces=[], prompts=[], validation=[], test=[], duplicates=[])


def row(question: str, truth: str) -> str:
    asked = [{"role": "user", "content": question}]
    return json.dumps({"data_source": "math__test", "prompt": asked, "reward_model": {"ground_truth": truth}})


def join(folder: Path, *lines: str) -> tuple[list[str], list[Reject]]:
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    source = {"id": "org/data", "revision": "1", "path": str(folder / "rows.jsonl"), "kind": "guru"}
    config = CurateConfig.model_validate({"base": {"kind": "random"}, "sources": [source]})
    rejects: list[Reject] = []
    _, prompts = with_sources(config, NOTHING, 0, rejects)
    return [p.prompt[0].content for p in prompts], rejects


def questions(split: str) -> list[str]:
    return [q for i in range(200) if split_of(q := f"What is {i} plus {i}, and why?") == split]


def test_a_gold_that_the_grader_would_not_accept_is_a_reject(tmp_path: Path) -> None:
    good, bad, *_ = questions("train")
    kept, rejects = join(tmp_path, row(good, "4"), row(bad, "\\frac{1}{0}"))
    assert kept == [good]
    assert [(r.stage, r.reason) for r in rejects] == [("gold", "gold not accepted as an answer")]


def test_a_question_comes_once_and_never_from_a_held_out_split(tmp_path: Path) -> None:
    train, test = questions("train")[0], questions("test")[0]
    kept, rejects = join(tmp_path, row(train, "4"), row(train.upper(), "4"), row(test, "4"))
    assert kept == [train]
    assert [r.stage for r in rejects] == ["dedupe", "split"]


def test_prompts_of_reasoning_gym_join_as_a_source_does(tmp_path: Path) -> None:
    config = CurateConfig.model_validate({"base": {"kind": "random"}, "generated": {"reasoning_gym": {"gcd": 30}}})
    rejects: list[Reject] = []
    _, prompts = with_sources(config, NOTHING, 0, rejects)
    assert len(prompts) + len(rejects) == 30
    assert {p.source for p in prompts} == {"reasoning-gym/gcd"} and len(prompts) > 20
    assert {r.stage for r in rejects} <= {"split", "dedupe"}
