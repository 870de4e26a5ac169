"""`n` choices from a backend that writes one a call: n calls, and their responses as one."""

from typing import Any

_SHARED = ("id", "object", "created", "model")
"""What all chunks of one stream have in common."""


def one_each(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Single calls for `payload`'s n choices; choice i is sampled with seed + i."""
    return [payload | {"n": 1, "seed": payload["seed"] + i} for i in range(payload.get("n") or 1)]


def merged(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """The responses' choices as 0..n-1 of the first response, and the sum of their usage."""
    choices = [choice for body in bodies for choice in body.get("choices") or []]
    usage = [body["usage"] for body in bodies if body.get("usage")]
    return bodies[0] | {
        "choices": [choice | {"index": i} for i, choice in enumerate(choices)] if len(bodies) > 1 else choices,
        **({"usage": summed(usage)} if usage else {}),
    }


def summed(usages: list[dict[str, Any]]) -> dict[str, Any]:
    """The sum of every count, also of those in nested objects; a count that some do not tell is 0 there."""
    total: dict[str, Any] = {}
    for usage in usages:
        for name, value in usage.items():
            if isinstance(value, dict):
                total[name] = summed([total.get(name) or {}, value])
            elif isinstance(value, int):
                total[name] = (total.get(name) or 0) + value
            else:
                total.setdefault(name, value)
    return total


class MergedStream:
    """The chunks of one request's streams as those of one stream."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._usage: dict[int, dict[str, Any]] = {}

    def chunk(self, event: dict[str, Any], stream: int) -> dict[str, Any] | None:
        """The chunk of stream number `stream` under the first chunk's id; None where it held nothing but usage."""
        usage = event.pop("usage", None)
        if usage:
            self._usage[stream] = usage
        self._head = self._head or {name: event[name] for name in _SHARED if name in event}
        choices = event.get("choices") or []
        if not choices:
            return None
        return event | self._head | {"choices": [c | {"index": (c.get("index") or 0) + stream} for c in choices]}

    def usage(self) -> dict[str, Any]:
        """The last chunk for a client that asked for usage."""
        return self._head | {"choices": [], "usage": summed(list(self._usage.values()))}
