"""A new bundle takes the place of a served one, or nothing changes: the steps, their order, and what follows a failure.

`advance` is the whole policy, as a table. `roll_out` walks it and leaves every effect to a `Driver`, of which there is
one for this machine (`local_rollout`) and one for Kubernetes (`kubernetes_rollout`).
"""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from hexad.records import Record


class State(StrEnum):
    """What is being done, or how it ended."""

    STARTING = "start the new stack"
    TESTING = "smoke-test it through its gateway"
    SWITCHING = "send clients to it"
    WATCHING = "watch its error rate"
    RETIRING = "remove what came before the previous bundle"
    RETURNING = "send clients back to the old stack"
    DROPPING = "stop the new stack"
    LIVE = "live"
    REFUSED = "refused"
    ROLLED_BACK = "rolled back"
    STUCK = "stuck"


ENDS = {State.LIVE, State.REFUSED, State.ROLLED_BACK, State.STUCK}

_TABLE: dict[State, tuple[State, State]] = {
    # state: (next after success, next after failure)
    State.STARTING: (State.TESTING, State.DROPPING),
    State.TESTING: (State.SWITCHING, State.DROPPING),
    # A failed switch may have reached some clients, so it is undone like one that succeeded.
    State.SWITCHING: (State.WATCHING, State.RETURNING),
    State.WATCHING: (State.RETIRING, State.RETURNING),
    State.RETIRING: (State.LIVE, State.LIVE),
    # Where clients cannot be sent back, the new stack is all they have: it is left running.
    State.RETURNING: (State.DROPPING, State.STUCK),
}


def advance(state: State, failed: bool, switched: bool) -> State:
    """The state after `state` ended. `switched`: clients were sent to the new stack at some time. Pure."""
    if state is State.DROPPING:
        return State.ROLLED_BACK if switched else State.REFUSED
    return _TABLE[state][failed]


class StepFailed(RuntimeError):
    """A step did not do what it should. The message names the place, what was found and the mend."""


class Traffic(Record):
    """What the served gateway counted since it was switched to."""

    requests: int = Field(ge=0)
    failures: int = Field(ge=0, description="Answers with status 500 or more.")


class WatchPolicy(Record):
    """The short watch after the switch."""

    seconds: float = Field(30.0, ge=0, description="How long the new stack is watched; 0: not at all.")
    interval_s: float = Field(2.0, gt=0, description="Seconds between two looks.")
    max_error_rate: float = Field(0.05, ge=0, le=1, description="Share of failed requests that ends in a roll-back.")
    min_requests: int = Field(10, ge=1, description="Fewer requests than these say nothing about a share.")


class Driver(Protocol):
    """The effects of a roll-out. Every method raises StepFailed, or an error that `Driver.errors` names."""

    errors: tuple[type[Exception], ...]

    def current(self) -> str | None:
        """Digest of the bundle that clients are sent to; None before the first."""

    def start(self, digest: str) -> None:
        """Bring the stack of `digest` up beside what runs and wait until it is ready. May be repeated."""

    def smoke(self, digest: str) -> None:
        """Ask it real questions through its own gateway."""

    def switch(self, digest: str) -> None:
        """Send clients to `digest`. Requests in flight end where they began."""

    def traffic(self, digest: str) -> Traffic | None:
        """What it counted since the switch; None where nobody can tell."""

    def retire(self, keep: set[str]) -> None:
        """Remove the stacks that are not in `keep`."""

    def drop(self, digest: str) -> None:
        """Stop a stack that clients are not sent to, and keep what explains its failure."""


class Outcome(Record):
    """How a roll-out ended."""

    state: State
    digest: str
    previous: str | None = Field(description="Digest that was served before.")
    reason: str = Field("", description="First failure; empty when the bundle is live.")

    @property
    def live(self) -> bool:
        return self.state is State.LIVE


def roll_out(
    digest: str,
    driver: Driver,
    watch: WatchPolicy | None = None,
    report: Callable[[State, str], None] = lambda _state, _note: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Walk from start to an end. `report` is told each state as it begins, with the failure that led to it.

    Raises nothing that `driver.errors` names once the first step began. Without a bundle before this one a failed
    watch cannot send clients back: the outcome is STUCK, the new stack keeps answering and the reason says so.
    """
    previous = driver.current()
    if previous == digest:
        return Outcome(state=State.LIVE, digest=digest, previous=previous)
    state, switched, reason = State.STARTING, False, ""
    watch = watch or WatchPolicy()
    while state not in ENDS:
        report(state, reason)
        switched = switched or state is State.SWITCHING
        failure = _attempt(state, digest, previous, driver, watch, sleep)
        if failure and state is not State.RETIRING:
            reason = f"{reason}; then {failure}" if reason else failure
        state = advance(state, bool(failure), switched)
    report(state, reason)
    return Outcome(state=state, digest=digest, previous=previous, reason=reason)


def roll_back(digest: str, driver: Driver) -> None:
    """By hand: send clients to `digest`, which was served before. It is started again where it no longer runs."""
    driver.start(digest)
    driver.switch(digest)


def _attempt(
    state: State, digest: str, previous: str | None, driver: Driver, watch: WatchPolicy, sleep: Callable[[float], None]
) -> str:
    """Do what the state says; the failure in words, or nothing."""
    expected: tuple[type[Exception], ...] = (StepFailed, *driver.errors)
    try:
        match state:
            case State.STARTING:
                driver.start(digest)
            case State.TESTING:
                driver.smoke(digest)
            case State.SWITCHING:
                driver.switch(digest)
            case State.WATCHING:
                _watch(digest, driver, watch, sleep)
            case State.RETIRING:
                driver.retire({digest} | ({previous} if previous else set()))
            case State.RETURNING:
                if previous is None:
                    raise StepFailed("there is no bundle before this one to return to; roll a mended one out")
                driver.switch(previous)
            case State.DROPPING:
                driver.drop(digest)
    except expected as error:
        return str(error) or type(error).__name__
    return ""


def _watch(digest: str, driver: Driver, policy: WatchPolicy, sleep: Callable[[float], None]) -> None:
    seen = driver.traffic(digest)
    if seen is None:
        return
    left = policy.seconds
    while left > 0:
        pause = min(left, policy.interval_s)
        sleep(pause)
        left -= pause
        seen = driver.traffic(digest)
        if seen is None:
            continue
        if seen.requests >= policy.min_requests and seen.failures > policy.max_error_rate * seen.requests:
            raise StepFailed(
                f"{seen.failures} of {seen.requests} requests failed, more than {policy.max_error_rate:.0%}; see the "
                "new gateway's log"
            )
    if seen is None:
        raise StepFailed("the new gateway does not tell what it answers any more; see its log")
