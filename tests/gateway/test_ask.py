"""`hexad ask` draws what the gateway streams."""

import asyncio
import io
from collections.abc import Callable
from itertools import count

import pytest
from rich.console import Console

from hexad.gateway.ask import ask, run_ask

from .upstream import SEED, Engine, Script, answers, is_plan


def test_plan_candidates_scores_and_answer_are_shown(
    engine: Engine, engine_url: str, gateway: Callable[..., str]
) -> None:
    plan_and_answers, turn = answers("[41]", "[42]", "[42]"), count(SEED)
    engine.script = lambda p: plan_and_answers({**p, "seed": SEED if is_plan(p) else next(turn)})
    engine.score = lambda _: 0.625
    out = io.StringIO()
    url = gateway(scorer_url=engine_url)
    answer = asyncio.run(ask(url, "17 + 25?", Console(file=out, width=120), None, None))
    assert answer == "[42]"
    for shown in ("add the ones, carry", "0.625", "[42]", "3 of 3 candidates", "hybrid: 2 of 3 agree"):
        assert shown in out.getvalue()


def test_an_error_is_one_line_and_exit_code_1(
    engine: Engine, gateway: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.script = lambda _: Script(status=500, message="[out] of memory")
    assert run_ask("x", gateway(), None, None) == 1
    assert "[out] of memory" in capsys.readouterr().out


def test_an_unreachable_gateway_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_ask("x", "http://127.0.0.1:9", None, None) == 1
    assert "127.0.0.1:9" in capsys.readouterr().out
