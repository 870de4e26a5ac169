"""A request as a backend takes it: refused where it asks for more, renamed where the names differ."""

from collections.abc import Mapping
from typing import Any

from hexad.gateway.backends.capabilities import BACKENDS, Backend
from hexad.gateway.errors import ApiError


def refuse_unsupported(fields: Mapping[str, Any], backend: Backend) -> None:
    """Raise ApiError 400 naming the first of `fields` that the backend would refuse or, worse, ignore."""
    kind = BACKENDS[backend]
    for name, neutral in kind.refused.items():
        if name in fields and fields[name] not in neutral:
            raise _refusal(name, f"this server's engine ({backend}) does not take it; leave it out")
    for name, greatest in kind.greatest.items():
        if name in fields and fields[name] > greatest:
            raise _refusal(name, f"{fields[name]} is more than this server's engine ({backend}) takes: {greatest:g}")
    stops = fields.get("stop")
    if kind.most_stops is not None and isinstance(stops, list) and len(stops) > kind.most_stops:
        raise _refusal(
            "stop", f"{len(stops)} sequences are more than this server's engine ({backend}) takes: {kind.most_stops}"
        )


def wire_form(
    payload: Mapping[str, Any], backend: Backend, renamed: Mapping[str, str], operators: Mapping[str, Any]
) -> dict[str, Any]:
    """The call's body. `operators`: fields that the operator adds to every call; None takes one of ours away."""
    kind = BACKENDS[backend]
    left_out = kind.refused.keys() | (set() if kind.takes_n else {"n"})
    body = {renamed.get(name, name): value for name, value in payload.items() if name not in left_out}
    body |= kind.added | dict(operators)
    return {name: value for name, value in body.items() if value is not None or name not in operators}


def _refusal(name: str, why: str) -> ApiError:
    return ApiError(400, f"{name}: {why}", param=name, code="unsupported_parameter")
