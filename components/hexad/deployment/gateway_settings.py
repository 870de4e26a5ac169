"""From a bundle's policy to the gateway's config file: the same on one machine and on a cluster."""

from hexad.deployment.settings import GatewayPolicy


def gateway_settings(
    model: str, policy: GatewayPolicy, engine_url: str, engine_model: str, scorer_url: str | None, max_tokens: int
) -> dict[str, object]:
    """Fields of `hexad.gateway.config.GatewayConfig`. `max_tokens`: tokens per candidate, by default and at most."""
    settings: dict[str, object] = {
        "model": model,
        "engine_url": engine_url,
        "engine_model": engine_model,
        "n": policy.candidates,
        "max_n": max(8, policy.candidates),
        "plan": policy.plan,
        "selector": policy.selector,
        "concurrency": policy.concurrency,
        "queue": 4096,
        "max_tokens": max_tokens,
        "max_tokens_limit": max_tokens,
        "plan_max_tokens": min(policy.plan_tokens, max_tokens),
        "plan_after": policy.plan_after,
        "confidence": policy.confidence,
        "deadline_s": policy.deadline_s,
    }
    if scorer_url is not None:
        settings["scorer_url"] = scorer_url
    elif policy.selector == "verifier":
        settings["selector"] = "majority"
    return settings
