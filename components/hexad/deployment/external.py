"""An engine that runs elsewhere: Cerebras inference, named by environment variables."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from hexad.deployment.bundle import DRAFT, TARGET
from hexad.gateway.backends.limits import RateLimits
from hexad.records import Manifest, Record

_PREFIX = "CEREBRAS_"
_PLAN_TOKENS = 512
_LIMITS = {name.upper(): name for name in RateLimits.model_fields}


class BackendError(ValueError):
    """The environment does not name an endpoint; the message says what is missing."""


class External(Record):
    """Where the engine is, and the gateway's settings for it. Without the key, which stays in the environment."""

    base_url: str
    max_tokens: int | None
    settings: dict[str, object]


def cerebras_from(environment: Mapping[str, str]) -> External:
    """The endpoint of CEREBRAS_BASE_URL and CEREBRAS_MODEL, with the limits of the account's plan.

    The key is in HEXAD_ENGINE_KEY, or in the file that HEXAD_ENGINE_KEY_FILE names: the gateway reads it itself.
    Raises BackendError.
    """
    missing = [name for name in ("CEREBRAS_BASE_URL", "CEREBRAS_MODEL") if not environment.get(name)]
    if not (environment.get("HEXAD_ENGINE_KEY") or environment.get("HEXAD_ENGINE_KEY_FILE")):
        missing.append("HEXAD_ENGINE_KEY or HEXAD_ENGINE_KEY_FILE")
    if missing:
        raise BackendError(f"environment: set {', '.join(missing)} to serve from Cerebras (docs/serving.md)")
    limits = {field: environment[_PREFIX + name] for name, field in _LIMITS.items() if environment.get(_PREFIX + name)}
    try:
        read = RateLimits.model_validate(limits)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BackendError(f"{_PREFIX}{str(first['loc'][0]).upper()}: {first['input']!r}: {first['msg']}") from error
    most = environment.get("CEREBRAS_MAX_TOKENS")
    if most is not None and not (most.isdecimal() and int(most)):
        raise BackendError(f"CEREBRAS_MAX_TOKENS: {most!r}: give a number of tokens above 0")
    return External(
        base_url=environment["CEREBRAS_BASE_URL"],
        max_tokens=int(most) if most else None,
        settings={
            "backend": "cerebras",
            "engine_model": environment["CEREBRAS_MODEL"],
            "plan_max_tokens": _PLAN_TOKENS,
            "limits": read.model_dump(exclude_none=True),
        },
    )


def without_models(manifest: Manifest) -> Manifest:
    """The tree without the files of target and draft, which run elsewhere or not at all."""
    kept = [entry for entry in manifest.files if Path(entry.path).parts[0] not in (TARGET, DRAFT)]
    return manifest.model_copy(update={"files": kept})
