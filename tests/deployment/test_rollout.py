"""The policy of a roll-out: clients are never left without a stack, whatever fails."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexad.deployment.rollout import ENDS, State, StepFailed, Traffic, WatchPolicy, advance, roll_back, roll_out

STEPS = ("start", "smoke", "switch", "traffic", "retire", "drop")


class Machine:
    """A driver over sets: what runs, where clients are sent. Fails where a test says so."""

    errors: tuple[type[Exception], ...] = (ConnectionError,)

    def __init__(self, serving: str | None = "old", fails: Callable[[str, str], bool] = lambda step, digest: False):
        self.serving, self.running, self.fails = serving, {serving} - {None}, fails
        self.seen: Traffic | None = Traffic(requests=100, failures=0)
        self.calls: list[str] = []
        self.tested: set[str] = set()

    def _do(self, step: str, digest: str = "") -> None:
        self.calls.append(step)
        if self.fails(step, digest):
            raise StepFailed(f"{step} failed")

    def current(self) -> str | None:
        return self.serving

    def start(self, digest: str) -> None:
        self._do("start", digest)
        self.running.add(digest)

    def smoke(self, digest: str) -> None:
        assert digest in self.running
        self._do("smoke", digest)
        self.tested.add(digest)

    def switch(self, digest: str) -> None:
        assert digest in self.running
        assert digest in self.tested or digest == "old"
        self.serving = digest
        self._do("switch", digest)

    def traffic(self, digest: str) -> Traffic | None:
        self._do("traffic", digest)
        return self.seen

    def retire(self, keep: set[str]) -> None:
        self.running &= keep
        self._do("retire")

    def drop(self, digest: str) -> None:
        assert digest != self.serving
        self.running.discard(digest)
        self._do("drop", digest)


def no_pause(_: float) -> None:
    return


def failing(step: str, digest: str = "new") -> Machine:
    return Machine(fails=lambda at, of: at == step and of in (digest, ""))


def test_a_good_bundle_is_started_tested_switched_to_and_watched_in_this_order() -> None:
    machine = Machine()
    outcome = roll_out("new", machine, WatchPolicy(seconds=2, interval_s=2), sleep=no_pause)
    assert machine.calls == ["start", "smoke", "switch", "traffic", "traffic", "retire"]
    assert (outcome.state, outcome.previous, machine.serving) == (State.LIVE, "old", "new")


def test_the_previous_stack_stays_and_what_came_before_it_goes() -> None:
    machine = Machine()
    machine.running |= {"older"}
    roll_out("new", machine, sleep=no_pause)
    assert machine.running == {"old", "new"}


@pytest.mark.parametrize("step", ["start", "smoke"])
def test_what_fails_before_the_switch_never_meets_a_client(step: str) -> None:
    machine = failing(step)
    outcome = roll_out("new", machine, sleep=no_pause)
    assert (outcome.state, outcome.reason) == (State.REFUSED, f"{step} failed")
    assert "switch" not in machine.calls
    assert machine.running == {"old"}


@pytest.mark.parametrize("step", ["switch", "traffic"])
def test_what_fails_after_it_sends_clients_back(step: str) -> None:
    machine = failing(step)
    outcome = roll_out("new", machine, sleep=no_pause)
    assert (outcome.state, machine.serving, machine.running) == (State.ROLLED_BACK, "old", {"old"})


def test_too_many_failed_requests_send_clients_back() -> None:
    machine = Machine()
    machine.seen = Traffic(requests=100, failures=6)
    outcome = roll_out("new", machine, sleep=no_pause)
    assert outcome.state is State.ROLLED_BACK
    assert "6 of 100 requests failed, more than 5%" in outcome.reason


@pytest.mark.parametrize(("requests", "failures"), [(100, 5), (9, 9), (0, 0)])
def test_few_failures_and_few_requests_do_not(requests: int, failures: int) -> None:
    machine = Machine()
    machine.seen = Traffic(requests=requests, failures=failures)
    assert roll_out("new", machine, sleep=no_pause).live


def test_the_watch_lasts_as_long_as_asked_for() -> None:
    slept: list[float] = []
    roll_out("new", Machine(), WatchPolicy(seconds=5, interval_s=2), sleep=slept.append)
    assert slept == [2, 2, 1]


def test_what_nobody_counts_is_not_waited_for() -> None:
    machine, slept = Machine(), list[float]()
    machine.seen = None
    assert roll_out("new", machine, sleep=slept.append).live
    assert slept == []


def test_a_stack_that_stops_telling_what_it_counts_sends_clients_back() -> None:
    machine = Machine()

    def fall_silent(_: float) -> None:
        machine.seen = None

    outcome = roll_out("new", machine, sleep=fall_silent)
    assert (outcome.state, machine.serving) == (State.ROLLED_BACK, "old")
    assert "does not tell what it answers any more" in outcome.reason


def test_an_error_that_the_driver_names_is_a_failure_of_the_step() -> None:
    def break_off(step: str, _: str) -> bool:
        if step == "smoke":
            raise ConnectionError("reset")
        return False

    assert roll_out("new", Machine(fails=break_off), sleep=no_pause).reason == "reset"


def test_what_is_served_already_is_left_alone() -> None:
    machine = Machine("new")
    assert roll_out("new", machine, sleep=no_pause).live
    assert machine.calls == []


def test_a_first_bundle_that_fails_the_watch_keeps_answering_and_says_why() -> None:
    machine = Machine(None)
    machine.seen = Traffic(requests=100, failures=100)
    outcome = roll_out("new", machine, sleep=no_pause)
    assert (outcome.state, machine.serving) == (State.STUCK, "new")
    assert "there is no bundle before this one" in outcome.reason


def test_a_way_back_that_fails_leaves_the_new_stack_running() -> None:
    machine = Machine(fails=lambda step, digest: step == "traffic" or (step == "switch" and digest == "old"))
    outcome = roll_out("new", machine, sleep=no_pause)
    assert outcome.state is State.STUCK
    assert machine.running == {"old", "new"}
    assert outcome.reason == "traffic failed; then switch failed"


def test_each_step_is_reported_as_it_begins() -> None:
    told: list[tuple[State, str]] = []
    roll_out("new", failing("smoke"), report=lambda state, why: told.append((state, why)), sleep=no_pause)
    assert [state for state, _ in told] == [State.STARTING, State.TESTING, State.DROPPING, State.REFUSED]
    assert told[-1][1] == "smoke failed"


def test_going_back_by_hand_starts_the_stack_before_it_sends_clients_there() -> None:
    machine = Machine("new")
    roll_back("old", machine)
    assert machine.calls == ["start", "switch"]
    assert machine.serving == "old"


@given(st.sets(st.tuples(st.sampled_from(STEPS), st.sampled_from(["new", "old", ""]))), st.booleans())
def test_clients_are_on_a_running_stack_at_every_end(fails: set[tuple[str, str]], first: bool) -> None:
    machine = Machine(None if first else "old", lambda step, digest: (step, digest) in fails)
    outcome = roll_out("new", machine, WatchPolicy(seconds=2), sleep=no_pause)
    assert outcome.state in ENDS
    assert machine.serving in machine.running | {None}
    if outcome.live:
        assert machine.serving == "new"
    elif outcome.state in (State.REFUSED, State.ROLLED_BACK):
        assert machine.serving == outcome.previous
    assert first or "old" in machine.running


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=8, max_size=8))
def test_every_walk_ends(events: list[tuple[bool, bool]]) -> None:
    state = State.STARTING
    for failed, switched in events:
        if state in ENDS:
            break
        state = advance(state, failed, switched)
    assert state in ENDS
