"""How long an endpoint's pods take to start and to end, from bytes, bandwidth and tokens: arithmetic only.

Probe and grace constants that suit a small model kill a large one: a 65 GB model that is read at 100 MB/s needs eleven
minutes, and a response of 64k tokens at 40 tokens/s takes twenty-seven.
"""

import math

from pydantic import Field

from hexad.records import Record

SAFETY = 2.0
"""A start may take this many times as long as computed before it counts as failed."""

PROBE_PERIOD_S = 10
PRE_STOP_S = 15
"""Seconds between the order to end and SIGTERM, in which load balancers take the pod off their lists."""

_MARGIN_S = 30
_LEAST_STABILIZATION_S = 1800
_BYTES_PER_MB = 1_000_000


class Speed(Record):
    """What hardware does, as measured or as promised. Too low a figure waits longer; too high a one kills pods."""

    node_s: float = Field(300.0, ge=0, description="Until a pod has a node with its image: autoscaling, image pull.")
    store_mb_s: float = Field(200.0, gt=0, description="Store to node disk, MB/s.")
    disk_mb_s: float = Field(500.0, gt=0, description="Node disk to memory, MB/s.")
    warm_up_s: float = Field(180.0, ge=0, description="Engine start besides reading weights: imports, compilation.")
    tokens_per_s: float = Field(20.0, gt=0, description="Tokens per second of one sequence at full load.")


class Timing(Record):
    """Seconds and counts that go into probes, deadlines and grace periods."""

    fetch_s: int = Field(description="Store to disk.")
    load_s: int = Field(description="Disk to an engine that answers.")
    startup_failures: int = Field(description="Start-up probes, one each PROBE_PERIOD_S, that may fail.")
    progress_deadline_s: int = Field(description="Deployment progress deadline: node, fetch and start, with safety.")
    generation_s: int = Field(description="Longest candidate.")
    deadline_s: int = Field(description="Longest request at the gateway: plan, then candidates.")
    engine_grace_s: int = Field(description="Termination grace of an engine pod: its longest candidate may end.")
    gateway_grace_s: int = Field(description="Termination grace of a gateway pod: its longest request may end.")
    stabilization_s: int = Field(description="Quiet time before a scale-down.")


def timing(bundle_bytes: int, max_tokens: int, plan_tokens: int, scoring_s: float, speed: Speed) -> Timing:
    """`scoring_s`: longest scoring after the last candidate, seconds."""
    fetch = bundle_bytes / (speed.store_mb_s * _BYTES_PER_MB)
    load = bundle_bytes / (speed.disk_mb_s * _BYTES_PER_MB) + speed.warm_up_s
    generation = max_tokens / speed.tokens_per_s
    deadline = generation + plan_tokens / speed.tokens_per_s + _MARGIN_S
    return Timing(
        fetch_s=math.ceil(fetch),
        load_s=math.ceil(load),
        startup_failures=startup_failures(load),
        progress_deadline_s=math.ceil(SAFETY * (speed.node_s + fetch + load)) + _MARGIN_S,
        generation_s=math.ceil(generation),
        deadline_s=math.ceil(deadline),
        engine_grace_s=math.ceil(PRE_STOP_S + generation + _MARGIN_S),
        gateway_grace_s=math.ceil(PRE_STOP_S + deadline + scoring_s + _MARGIN_S),
        stabilization_s=max(_LEAST_STABILIZATION_S, math.ceil(deadline)),
    )


def startup_failures(load_s: float) -> int:
    """Failed probes that a start of `load_s` seconds may have, at least 3."""
    return max(3, math.ceil(SAFETY * load_s / PROBE_PERIOD_S))


def drain_s(grace_s: int) -> int:
    """Seconds that a process has to finish its requests after SIGTERM, before the grace period ends in SIGKILL."""
    return max(1, grace_s - PRE_STOP_S - _MARGIN_S // 2)
