"""What becomes of the rows of real sources, from files to tokens."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.parts import list_parts
from hexad.curation.corpus.run import Corpus
from hexad.curation.readers import interpret
from hexad.curation.readers.files import File, read_rows
from hexad.curation.splits import split_of
from hexad.curation.tokenize import TokenFiles
from hexad.records import Reject

from ..rows import cases
from .made import (
    am_row,
    base_model,
    digests,
    guru_row,
    items,
    question,
    response,
    run,
    source,
    write_jsonl,
    write_parquet,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_model(tmp_path_factory.mktemp("base"))


def reasons(corpus: Corpus) -> Counter[str]:
    return Counter(f"{r.stage}: {r.reason}" for r in corpus.rejects())


def mixed(folder: Path) -> list[Any]:
    """Two sources with duplicates, leaks and a broken row among good ones; and the benchmark that leaked."""
    rng = Random(1)
    asked = [question(rng) for _ in range(300)]
    rows: list[Any] = [am_row(text, response(rng)) for text in asked[:150]]
    rows.insert(40, "{broken")
    rows.insert(80, am_row(asked[3].upper(), response(rng)))
    rows.insert(90, am_row(f"{asked[7]} Please.", response(rng)))
    write_jsonl(folder / "math.jsonl", rows)
    write_parquet(folder / "train.parquet", [guru_row(text, "4") for text in [*asked[150:], asked[5]]])
    return [[source(folder / "math.jsonl"), source(folder / "train.parquet", "guru")], items(asked[11], asked[160])]


def test_every_row_is_kept_or_rejected_with_a_reason(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    corpus = run(sources, CorpusConfig(), tmp_path / "work", base, benchmark)
    traces, prompts = list(corpus.traces()), list(corpus.prompts())
    assert reasons(corpus) == {
        "read: bad JSON": 1,
        "decontaminate: benchmark question (exact)": 2,
        "dedupe: duplicate question": 2,
        "dedupe: near-duplicate question": 1,
    }
    assert (len(traces), len(prompts)) == (149, 149)
    assert [(hit.item, hit.method) for hit in corpus.hits()] == [("item-0", "exact"), ("item-1", "exact")]


def test_rows_keep_their_order_and_the_place_they_came_from(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    corpus = run(sources, CorpusConfig(), tmp_path / "work", base, benchmark)
    read = [row.row.id for s in sources for row in interpret(read_rows(s.path), s) if not isinstance(row, Reject)]
    kept = [row.id for row in (*corpus.traces(), *corpus.prompts())]
    assert kept == [row for row in read if row in set(kept)]
    assert all(row.startswith(("org/am_thinking/math.jsonl@", "org/guru/train.parquet#")) for row in kept)


def test_tokens_belong_to_the_traces_in_order(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    corpus = run(sources, CorpusConfig(), tmp_path / "work", base, benchmark)
    assert TokenFiles(corpus.tokens()).lengths.tolist() == [trace.tokens for trace in corpus.traces()]


def test_any_number_of_shards_gives_the_same_bytes(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    rng = Random(8)
    for n in range(3):
        write_jsonl(tmp_path / f"more{n}.jsonl", [am_row(question(rng), response(rng)) for _ in range(9)])
    sources.append(source(tmp_path / "more*.jsonl"))
    for count in (1, 2, 4):
        run(sources, CorpusConfig(shards=count), tmp_path / str(count), base, benchmark)
    assert digests(tmp_path / "1") == digests(tmp_path / "2") == digests(tmp_path / "4") != {}


def test_parts_of_any_size_read_each_row_once(tmp_path: Path) -> None:
    sources, _ = mixed(tmp_path)
    for one in sources:
        whole = [row.row if isinstance(row, Reject) else row.place for row in read_rows(one.path)]
        for size in (1, 300, 1000, 7777, 10**9):
            parts = list_parts([one], size)
            pieces = [File(p.file, p.name).read(p.start, p.stop) for p in parts]
            found = [row.row if isinstance(row, Reject) else row.place for piece in pieces for row in piece]
            assert found == whole


def test_a_limited_source_gives_so_many_rows(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    corpus = run([sources[0].model_copy(update={"limit": 9})], CorpusConfig(), tmp_path / "w", base, benchmark)
    assert len(list(corpus.traces())) == 9


# --- duplicates


def test_of_a_cluster_the_verified_trace_stays(tmp_path: Path, base: Path) -> None:
    rng = Random(5)
    asked = question(rng)
    write_jsonl(tmp_path / "x.jsonl", [
        am_row(asked, response(rng)),
        am_row(f"{asked} Please.", response(rng), reference_answer="5"),
    ])  # fmt: skip
    corpus = run([source(tmp_path / "x.jsonl")], CorpusConfig(), tmp_path / "w", base, items("other one"))
    assert [trace.messages[0].content for trace in corpus.traces()] == [f"{asked} Please."]
    (reject,) = corpus.rejects()
    assert reject.detail.startswith("of org/am_thinking/x.jsonl@")


def test_without_that_the_earlier_source_stays(tmp_path: Path, base: Path) -> None:
    asked = question(Random(5))
    write_jsonl(tmp_path / "a.jsonl", [am_row(asked, response(Random(1)))])
    write_jsonl(tmp_path / "b.jsonl", [guru_row(asked, "4")])
    for first, second in (("a", "b"), ("b", "a")):
        sources = [source(tmp_path / f"{n}.jsonl", "guru" if n == "b" else "am_thinking") for n in (first, second)]
        corpus = run(sources, CorpusConfig(), tmp_path / first, base, items("other one"))
        assert (len(list(corpus.traces())), len(list(corpus.prompts()))) == ((1, 0) if first == "a" else (0, 1))


def test_the_same_question_with_another_number_is_no_duplicate(tmp_path: Path, base: Path) -> None:
    rng = Random(6)
    asked = question(rng, 60)
    number = next(word for word in asked.split() if word.isdigit())
    others = [text for n in range(100, 140) if _trains(text := asked.replace(number, str(n)))]
    write_jsonl(tmp_path / "x.jsonl", [am_row(text, response(rng)) for text in (asked, *others)])
    corpus = run([source(tmp_path / "x.jsonl")], CorpusConfig(), tmp_path / "w", base, items("other one"))
    assert len(list(corpus.traces())) == 1 + len(others) > 10


def test_the_same_response_to_another_question_is_a_duplicate(tmp_path: Path, base: Path) -> None:
    rng = Random(7)
    same = response(rng)
    write_jsonl(tmp_path / "x.jsonl", [am_row(question(rng), same), am_row(question(rng), same)])
    for wanted, kept in ((True, 1), (False, 2)):
        config = CorpusConfig.model_validate({"dedupe": {"responses": wanted}})
        corpus = run([source(tmp_path / "x.jsonl")], config, tmp_path / str(kept), base, items("other one"))
        assert len(list(corpus.traces())) == kept


# --- filters


@pytest.mark.parametrize("case", cases("filters.jsonl"), ids=lambda c: c["case"])
def test_a_row_is_dropped_for_its_reason(case: dict[str, Any], tmp_path: Path, base: Path) -> None:
    asked = question(Random(9))
    if case["kind"] == "guru":
        row = guru_row(asked, "", **case["fields"])
    else:
        working = case["repeat"][0] * case["repeat"][1] if "repeat" in case else None
        made = response(Random(1), case.get("answer", "5"), case.get("words", 80), working)
        row = am_row(asked, case.get("response", made), **case["fields"])
    write_jsonl(tmp_path / "x.jsonl", [row])
    config = CorpusConfig.model_validate({"filters": case["filters"]})
    corpus = run([source(tmp_path / "x.jsonl", case["kind"])], config, tmp_path / "w", base, items("other one"))
    assert list(reasons(corpus)) == ([case["reason"]] if case["reason"] else [])


def test_writing_systems_not_kept_are_dropped(tmp_path: Path, base: Path) -> None:
    rng = Random(2)
    texts = ["求方程的根等于多少", "Найдите все корни этого уравнения", "Find all roots of it"]
    asked = [next(t for n in range(99) if _trains(t := f"{text} {n}?")) for text in texts]
    write_jsonl(tmp_path / "x.jsonl", [am_row(text, response(rng)) for text in asked])
    config = CorpusConfig.model_validate({"filters": {"scripts": ["latin", "cjk"]}})
    corpus = run([source(tmp_path / "x.jsonl")], config, tmp_path / "w", base, items("other one"))
    assert [r.detail for r in corpus.rejects()] == ["cyrillic"]


def test_a_cap_keeps_so_many_rows_of_the_domain_whatever_the_shards(tmp_path: Path, base: Path) -> None:
    sources, benchmark = mixed(tmp_path)
    config = CorpusConfig.model_validate({"trace_caps": {"math": 20}, "prompt_caps": {"math": 10}})
    corpus = run(sources, config, tmp_path / "w", base, benchmark)
    assert (len(list(corpus.traces())), len(list(corpus.prompts()))) == (20, 10)
    assert reasons(corpus)["mix: over the domain's cap"] == 129 + 139


def _trains(text: str) -> bool:
    return split_of(text) == "train"
