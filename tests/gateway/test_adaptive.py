"""No more candidates than the answer needs, and no more tokens than the client pays for."""

from collections.abc import Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hexad.gateway.budget import shares, verdict_tokens
from hexad.gateway.candidates import confidence, unanimous_for
from hexad.gateway.errors import ApiError

from .conftest import question
from .upstream import SEED, Engine, Script, answers, by_candidate

Ask = Callable[..., httpx.Response]


@pytest.mark.parametrize(
    ("agreeing", "candidates", "wanted"),
    [(1, 1, 0.75), (2, 2, 0.875), (3, 3, 0.9375), (2, 3, 0.6875), (1, 2, 0.5), (0, 3, 0.0625)],
)
def test_confidence_is_the_upper_half_of_the_posterior(agreeing: int, candidates: int, wanted: float) -> None:
    assert confidence(agreeing, candidates) == wanted


@given(st.integers(1, 40), st.floats(0.5, 0.999))
def test_the_first_candidates_are_the_fewest_that_could_be_enough(most: int, wanted: float) -> None:
    first = unanimous_for(wanted, most)
    assert 1 <= first <= most
    assert confidence(first, first) >= wanted or first == most
    assert first == 1 or confidence(first - 1, first - 1) < wanted


@pytest.mark.parametrize(
    ("values", "launched", "stop"),
    [
        (("1", "1", "9", "9", "9"), 2, "confident"),
        (("1", "2", "1", "1", "1"), 5, "complete"),
        (("1", "2", "3", "1", "5"), 5, "complete"),
    ],
)
def test_sampling_ends_when_the_candidates_agree_enough(
    engine: Engine, ask: Ask, values: tuple[str, ...], launched: int, stop: str
) -> None:
    engine.script = answers(*values)
    response = ask("k:bo5", scaffold={"confidence": 0.85, "early_stop": False})
    report = response.json()["scaffold"]
    assert (len(engine.candidates), report["n_launched"], report["stop"]) == (launched, launched, stop)
    assert response.json()["choices"][0]["message"]["content"] == "1"


def test_an_operator_can_make_it_the_default(engine: Engine, ask: Ask) -> None:
    engine.script = answers("1", "1", "1", "1", "1")
    assert ask("k:bo5", settings={"confidence": 0.9}).json()["scaffold"]["n_launched"] == 3


@given(
    st.integers(1, 5000), st.integers(1, 16), st.sampled_from(("off", "shared", "per_sample")),
    st.integers(1, 2000), st.integers(1, 2000), st.sampled_from(("majority", "hybrid", "verifier", "pairwise")),
    st.sampled_from(("service", "labels")),
)  # fmt: skip
def test_a_budget_is_never_exceeded(
    budget: int, n: int, plan: str, plan_max: int, candidate_max: int, selector: str, scorer: str
) -> None:
    verdicts = verdict_tokens(n, selector, scorer)  # type: ignore[arg-type]
    plans = {"off": 0, "shared": 1, "per_sample": n}[plan]
    try:
        a_plan, a_candidate = shares(budget, n, plan, plan_max, candidate_max, verdicts)  # type: ignore[arg-type]
    except ApiError as error:
        assert error.status == 400 and budget < 4 * (plans + n) + verdicts
        return
    assert plans * a_plan + n * a_candidate + verdicts <= budget
    assert 1 <= a_plan <= plan_max and 1 <= a_candidate <= candidate_max


def test_the_engine_is_told_the_shares_of_the_budget(engine: Engine, ask: Ask) -> None:
    engine.script = answers("1", "2", "3")
    assert ask("k:plan+bo3", scaffold={"budget_tokens": 400}).status_code == 200
    assert [c["max_tokens"] for c in engine.plans] == [100]
    assert [c["max_tokens"] for c in engine.candidates] == [100] * 3


def test_a_budget_that_cannot_pay_is_refused_before_anything_is_sent(engine: Engine, ask: Ask) -> None:
    response = ask("k:plan+bo3", scaffold={"budget_tokens": 3})
    assert response.status_code == 400
    assert "scaffold.budget_tokens: 3 tokens do not pay for 3 candidates and 1 plan" in response.text
    assert engine.calls == []


def test_an_easy_question_gets_no_plan_and_stops_as_soon_as_it_is_decided(engine: Engine, ask: Ask) -> None:
    engine.script = answers("7", "7", "9")
    report = ask("k", settings={"plan_after": 2}).json()["scaffold"]
    assert (engine.plans, len(engine.candidates)) == ([], 2)
    assert (report["plan"], report["stop"], report["plan_tokens"]) == (None, "agreed", 0)
    assert report["plan_note"] == "the first 2 candidates agree, so there is no plan"


@pytest.mark.parametrize("values", [("7", "8", "9"), ("7", "", "9")])
def test_a_question_that_divides_the_first_candidates_is_planned_for_the_rest(
    engine: Engine, ask: Ask, values: tuple[str, ...]
) -> None:
    engine.script = answers(*values)
    report = ask("k", settings={"plan_after": 2}).json()["scaffold"]
    assert (len(engine.plans), report["n_completed"]) == (1, 3)
    planned = ["<plan>" in c["messages"][-1]["content"] for c in sorted(engine.candidates, key=lambda c: c["seed"])]
    assert planned == [False, False, True]
    assert report["plan_note"] == "made after the first 2 candidates, which did not agree"


@pytest.mark.parametrize(("values", "plans"), [(("7", "7", "9", "9"), 0), (("7", "8", "9", "9"), 2)])
def test_the_rule_holds_for_plans_of_each_candidate_too(
    engine: Engine, ask: Ask, values: tuple[str, ...], plans: int
) -> None:
    engine.script = answers(*values)
    ask("k", settings={"plan_after": 2, "plan": "per_sample"}, scaffold={"n": 4, "early_stop": False})
    assert (len(engine.plans), len(engine.candidates)) == (plans, 4)


@given(st.lists(st.sampled_from(("7", "8")), min_size=4, max_size=4), st.sampled_from(("shared", "per_sample")))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_planning_after_never_costs_more_calls_than_planning_first(
    engine: Engine, gateway: Callable[..., str], values: list[str], plan: str
) -> None:
    calls = []
    for after in (0, 2):
        engine.calls.clear()
        engine.script = answers(*values)
        body = {"model": "k", "messages": question(), "seed": SEED, "scaffold": {"n": 4, "plan": plan}}
        assert httpx.post(f"{gateway(plan_after=after)}/v1/chat/completions", json=body).status_code == 200
        calls.append((len(engine.plans), len(engine.candidates)))
    assert calls[1] <= calls[0] and calls[1][1] <= calls[0][1]


def test_a_single_candidate_is_planned_first_whatever_the_rule(engine: Engine, ask: Ask) -> None:
    ask("k:plan", settings={"plan_after": 2})
    assert (len(engine.plans), len(engine.candidates)) == (1, 1)


def test_a_deadline_during_the_late_plan_answers_with_what_there_is(engine: Engine, ask: Ask) -> None:
    engine.script = by_candidate(*[Script(f"<answer>{i}</answer>") for i in range(3)], plan=Script(delay_s=30))
    response = ask("k", settings={"plan_after": 2, "plan_share": 1.0}, scaffold={"deadline_s": 0.5})
    assert response.status_code == 200
    assert response.json()["scaffold"]["stop"] == "deadline"
