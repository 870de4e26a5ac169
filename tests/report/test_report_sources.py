"""A report comes out of incomplete and broken files, and says what it could not read."""

import json
from pathlib import Path

import pytest

from hexad.report.sources import Sources, read_sources

SCORE = {"mean": 0.5, "ci95": [0.4, 0.6], "questions": 10, "samples": 40, "mean_tokens": 9.0, "truncated": 0.0}


def read(tmp_path: Path, name: str, file: str, text: str):
    (tmp_path / file).write_text(text)
    return read_sources({name: tmp_path}, {})


def test_nothing_at_all_is_read_as_empty_parts():
    sources = read_sources({}, {})
    assert (sources.scores.scores, sources.examples, sources.bundle, sources.notes) == ({}, [], None, [])


def test_a_file_that_was_cut_off_becomes_a_note(tmp_path):
    sources = read(tmp_path, "data", "card.json", '{"counts": {"test": {"ma')
    assert sources.card.counts == {}
    assert sources.notes == ["data/card.json is not JSON (cut off?)"]


def test_a_file_of_another_shape_becomes_a_note(tmp_path):
    assert read(tmp_path, "data", "card.json", "[1, 2]").notes == ["data/card.json has another shape than expected"]


def test_one_wrong_score_does_not_take_the_others_with_it(tmp_path):
    broken = {**SCORE, "mean": "high"}
    scores = {"base": {"all": SCORE}, "sft": {"all": broken, "math": SCORE}, "rlvr": {"all": {}}}
    sources = read(tmp_path, "scores", "scores.json", json.dumps({"scores": scores, "surprise": 1}))
    assert {cell: set(found) for cell, found in sources.scores.scores.items()} == {
        "base": {"all"}, "sft": {"math"}, "rlvr": set(),
    }  # fmt: skip
    assert len(sources.notes) == 1


def test_wrong_rows_of_a_list_are_left_out_and_the_rest_keeps_its_order(tmp_path):
    rows = ['{"step": 1, "loss": 2}', "not json", '{"loss": 3}', '{"step": 3, "loss": "x"}', '{"step": 4, "loss": 1}']
    curve = read(tmp_path, "sft", "curve.jsonl", "\n".join(rows)).sft_curve
    assert [(p.step, p.loss) for p in curve] == [(1, 2), (3, None), (4, 1)]


def test_a_lone_surrogate_in_a_response_is_replaced(tmp_path):
    text = '[{"question": "q", "cells": {"sft": {"response": "bad \\ud800 end", "status": "correct"}}}]'
    assert read(tmp_path, "scores", "examples.json", text).examples[0].cells["sft"].response == "bad ? end"


def test_many_broken_rows_take_no_time(tmp_path):
    rows = "".join('{"loss": 1}\n' for _ in range(20_000))
    assert read(tmp_path, "policy", "curve.jsonl", rows).rl_curve == []


@pytest.mark.parametrize("metrics", ['{"steps": 0.0}', '{"enabled": 0.0}'])
def test_a_stage_that_took_no_step_counts_as_idle(tmp_path, metrics):
    assert read(tmp_path, "policy", "metrics.json", metrics).idle == {"policy"}
    assert read(tmp_path, "policy", "metrics.json", '{"steps": 60}').idle == frozenset()


@pytest.mark.parametrize("content", ["null", "3", '"text"', "[]", "{}", "[[[]]]", '{"cells": 1}', "NaN", ""])
@pytest.mark.parametrize("file", ["scores.json", "lengths.json", "examples.json"])
def test_no_content_of_a_file_stops_the_report(tmp_path, file, content):
    assert isinstance(read(tmp_path, "scores", file, content), Sources)
