"""The page and summary.json that the report stage writes."""

import json
import re
from html.parser import HTMLParser

import pytest

from hexad.records import Summary
from hexad.report.config import ReportConfig
from hexad.report.page import render
from hexad.report.sources import Sources
from hexad.stage import Context

from . import sample_run

HOSTILE = (
    "</pre></style></title><script>document.title='owned'</script><img src=//evil.example/x onerror=alert(1)>"
    '\x00\u202e" onmouseover="x\' & <b>bold</b>'
)
SECTIONS = ["bought", "pipeline", "pillars", "cells", "deltas", "training", "verifier", "speculation", "lengths",
            "domains", "subsets", "data", "samples", "lineage", "limits"]  # fmt: skip


class Outline(HTMLParser):
    """Tags, ids and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def sections(page: str) -> list[str | None]:
    return [attributes["id"] for attributes in Outline(page).all("section")]


def test_the_whole_run_is_shown_in_order_on_a_page_below_3_mb(report):
    page, _, _ = report(sample_run.files())
    assert sections(page) == SECTIONS
    assert len(page.encode()) < 3_000_000
    assert 'class="missing"' not in page


def test_the_page_makes_no_request_and_runs_no_script(report):
    page, _, _ = report(sample_run.files())
    outline = Outline(page)
    assert not {tag for tag, _ in outline.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not re.search(r"url\(|@import", page)
    for _, attributes in outline.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "src"}
        assert (attributes.get("href") or "#").startswith("#")
    policies = [a["content"] for a in outline.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert [policy.split(";")[0] for policy in policies] == ["default-src 'none'"]


def test_the_markup_is_balanced_and_ids_are_unique(report):
    outline = Outline(report(sample_run.files())[0])
    assert outline.open == []
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"] for a in outline.all("a")} == {f"#{identity}" for identity in ids}


def test_drawings_and_tables_can_be_read_aloud(report):
    page, _, _ = report(sample_run.files())
    outline = Outline(page)
    for svg in outline.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and svg.get("aria-label"))
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert all(th.get("scope") in ("row", "col") for th in outline.all("th"))


def test_the_summary_has_the_runs_numbers(report):
    _, text, result = report(sample_run.files(), recipe="quickstart")
    summary = Summary.model_validate_json(text)
    assert (summary.recipe, summary.seed, summary.git) == ("quickstart", 7, "429376c0ffee")
    assert set(summary.scores) == set(sample_run.ABILITY)
    assert {"from", "to", "benchmark", "delta", "ci95", "p"} == set(json.loads(text)["deltas"][0])
    assert summary.stages["sft"].seconds == 171
    assert summary.speculative is not None and summary.speculative.method == "draft_model"
    assert summary.contamination["test"].items == 312
    assert summary.contamination["test"].subsets["clean"].items == 309
    assert result.metrics["accuracy_base"] == summary.scores["base"]["all"].mean


def test_clean_and_contaminated_items_stand_beside_all_and_an_empty_subset_says_so(report):
    page, _, _ = report(sample_run.files())
    table = page.partition('id="subsets"')[2].partition("</section>")[0]
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="number">([^<]*)</td>(.*?)</tr>', table)
    assert [(name, items) for name, items, _ in rows] == [
        ("test, all", "312"), ("test, clean", "309"), ("test, contaminated", "3"),
        ("other, all", "2"), ("other, clean", "2"), ("other, contaminated", "0"),
    ]  # fmt: skip
    assert all("<small" in scores for _, _, scores in rows[:3])
    assert all(scores.count("not asked") == len(sample_run.ABILITY) for _, _, scores in rows[3:5])
    assert rows[5][2].count("empty") == len(sample_run.ABILITY)


def test_rows_that_were_test_questions_are_counted_and_never_divided_by_the_items_that_they_repeat(report):
    files = sample_run.files()
    overlap = {"test": {"exact": 940, "near": 12, "items": 300}}
    card = json.loads(files["data"]["card.json"]) | {"contamination": overlap}
    page, _, _ = report(files | {"data": files["data"] | {"card.json": json.dumps(card)}})
    table = page.partition('id="data"')[2].partition("</section>")[0].partition("Training rows that were test")[2]
    assert re.findall(r'<td class="number">([^<]*)</td>', table.partition("</table>")[0]) == ["940", "12", "300"]


def test_the_date_is_printed_only_when_it_is_given():
    context, config = Context(run="sample", store="file:///nowhere"), ReportConfig(date="2026-01-31")
    assert "2026-01-31" in render(Sources(), config, context)
    assert "<b>date</b>" not in render(Sources(), ReportConfig(), context)


def test_hostile_text_stays_text_wherever_it_comes_from(report):
    files = sample_run.files()
    example = {"question": HOSTILE, "domain": HOSTILE, "gold": HOSTILE,
               "cells": {HOSTILE: {"response": HOSTILE, "status": HOSTILE}}}  # fmt: skip
    files["scores"]["examples.json"] = json.dumps([example])
    files["scores"]["lengths.json"] = json.dumps({HOSTILE: [3]})
    card = {"counts": {HOSTILE: {HOSTILE: 1}}, "rejects": {HOSTILE: 1}, "sources": {HOSTILE: {HOSTILE: HOSTILE}}}
    files["data"]["card.json"] = json.dumps(card)
    files["policy"]["curve.jsonl"] = json.dumps({"step": 1, "domain_reward": {HOSTILE: 1.0}})
    page, _, _ = report(files, title=HOSTILE, recipe=HOSTILE)
    outline = Outline(page)
    assert outline.open == []
    assert not {tag for tag, _ in outline.tags} & {"script", "img"}
    assert not [a for _, a in outline.tags if any(name.startswith("on") for name in a)]
    assert "&lt;script&gt;" in page
    assert "\x00" not in page


def test_a_long_response_is_cut_and_says_by_how_much(report):
    files = sample_run.files()
    files["scores"]["examples.json"] = json.dumps(
        [{"question": "q", "cells": {"sft": {"response": "x" * 500, "status": "correct"}}}]
    )
    page, _, _ = report(files, example_characters=100)
    assert "x" * 100 + "\n… 400 more characters" in page
    assert "x" * 101 not in page


FILES = [(name, file) for name, named in sample_run.files().items() for file in named]


@pytest.mark.parametrize(("name", "file"), FILES, ids=["/".join(pair) for pair in FILES])
def test_a_missing_file_leaves_all_sections_and_a_word_on_what_is_missing(report, name, file):
    files = sample_run.files()
    del files[name][file]
    files[name]["model.bin"] = "weights"
    page, summary, _ = report(files)
    assert sections(page) == SECTIONS
    Summary.model_validate_json(summary)


@pytest.mark.parametrize("name", sample_run.STAGES)
def test_a_missing_input_leaves_all_sections(report, name):
    page, summary, _ = report({key: named for key, named in sample_run.files().items() if key != name})
    assert sections(page) == SECTIONS
    Summary.model_validate_json(summary)


def test_without_any_input_every_part_says_that_it_is_missing(report):
    page, summary, _ = report({})
    assert sections(page) == SECTIONS
    assert page.count('class="missing"') >= 10
    assert Summary.model_validate_json(summary).scores == {}


def test_a_run_of_one_point_and_one_question_can_be_drawn(report):
    score = {"mean": 1.0, "ci95": [0.2, 1.0], "questions": 1, "samples": 1, "mean_tokens": 0.0, "truncated": 0.0}
    page, _, _ = report({
        "sft": {"curve.jsonl": '{"step": 1, "loss": 0}\n'},
        "policy": {"curve.jsonl": '{"step": 0, "reward": 0, "reward_std": 0}\n{"step": 1, "reward": NaN}\n'},
        "verifier": {"calibration.json": '{"bins": [{"score": 0, "accuracy": 0, "count": 0}]}'},
        "scores": {"scores.json": json.dumps({"scores": {"base": {"all": score}}}), "lengths.json": '{"base": [0]}'},
    })  # fmt: skip
    assert sections(page) == SECTIONS
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page).lower()
