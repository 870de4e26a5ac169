"""Dividing a request's token budget among its plans and candidates before anything is sent."""

from hexad.gateway.config import PlanPolicy
from hexad.gateway.errors import ApiError

_PLANS_SHARE = 0.25
_PARAM = "scaffold.budget_tokens"


def shares(budget: int, n: int, plan: PlanPolicy, plan_max: int, candidate_max: int) -> tuple[int, int]:
    """Most completion tokens of (a plan, a candidate) such that all together keep to `budget`.

    Plans get at most a quarter. Raises ApiError 400 when not even one token is left for each.
    """
    plans = {"off": 0, "shared": 1, "per_sample": n}[plan]
    a_plan = min(plan_max, int(budget * _PLANS_SHARE) // plans) if plans else plan_max
    a_candidate = min(candidate_max, (budget - plans * a_plan) // n)
    if a_candidate < 1 or a_plan < 1:
        planned = f" and {plans} plan{'s' if plans > 1 else ''}" if plans else ""
        raise ApiError(
            400, f"{_PARAM}: {budget} tokens do not pay for {n} candidates{planned}; raise it or ask for fewer",
            param=_PARAM,
        )  # fmt: skip
    return a_plan, a_candidate
