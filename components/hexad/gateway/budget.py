"""Dividing a request's token budget among its plans and candidates before anything is sent."""

from hexad.gateway.config import PlanPolicy, ScorerKind, Selector
from hexad.gateway.errors import ApiError

_PLANS_SHARE = 0.25
_PARAM = "scaffold.budget_tokens"


def verdict_tokens(n: int, selector: Selector, scorer: ScorerKind) -> int:
    """Most completion tokens that the verifier writes about n candidates.

    The trained verifier reads and writes nothing; a judging engine writes one token a candidate, or a pair and order.
    """
    if scorer == "service" or selector == "majority" or n == 1:
        return 0
    return n * (n - 1) if selector == "pairwise" else n


def shares(budget: int, n: int, plan: PlanPolicy, plan_max: int, candidate_max: int, verdicts: int) -> tuple[int, int]:
    """Most completion tokens of (a plan, a candidate) such that these and `verdicts` together keep to `budget`.

    `verdicts` is what the verifier may write (see `verdict_tokens`). Plans get at most a quarter of the rest.
    Raises ApiError 400 when not even one token is left for each plan and candidate.
    """
    whole, budget = budget, budget - verdicts
    plans = {"off": 0, "shared": 1, "per_sample": n}[plan]
    a_plan = min(plan_max, int(budget * _PLANS_SHARE) // plans) if plans else plan_max
    a_candidate = min(candidate_max, (budget - plans * a_plan) // n)
    if a_candidate < 1 or a_plan < 1:
        planned = f" and {plans} plan{'s' if plans > 1 else ''}" if plans else ""
        raise ApiError(
            400, f"{_PARAM}: {whole} tokens do not pay for {n} candidates{planned}; raise it or ask for fewer",
            param=_PARAM,
        )  # fmt: skip
    return a_plan, a_candidate
