"""How often a model solves each prompt, by sampling it: the difficulty that rules keep or drop prompts by."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from hexad.curation.rollout_log import RolloutLog
from hexad.engines import Completion, Engine, Sampling
from hexad.grading import grade_many
from hexad.records import Prompt, Rollout

MAX_FAILED = 0.05  # share of prompts whose requests may fail; the others would say little of the whole
JUDGED = 200  # prompts after which that share is first looked at: a broken endpoint should not be asked for hours


class PassRateError(RuntimeError):
    """So many requests failed that there are no pass rates."""


def measure(
    prompts: Iterable[Prompt],
    engine: Engine,
    sampling: Sampling,
    log: RolloutLog,
    workers: int = 1,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, float]:
    """Prompt id to the share of `sampling.n` answers that are correct, 0..1; `report` gets the prompts done so far.

    Prompts that the log holds are not sampled again. A prompt's seeds follow from its id and `sampling.seed`, so
    neither order nor a kill changes them. `engine` is called from `workers` threads, for one prompt at a time. A prompt
    whose request fails has no rate and no line in the log; raises PassRateError when those are more than a twentieth.
    """
    rates: dict[str, float | None] = {}
    failures: list[str] = []
    waiting: dict[Future[list[Completion]], Prompt] = {}

    def finish(drawn: Future[list[Completion]]) -> None:
        prompt, completions = waiting.pop(drawn), drawn.result()
        error = next((one.text for one in completions if one.finish_reason == "error"), None)
        if error is None:
            rollouts = _graded(prompt, completions, _own(sampling, prompt).seed)
            log.append(prompt.id, rollouts)
            rates[prompt.id] = pass_rate(rollouts)
        else:
            failures.append(error)
            _check(failures, max(JUDGED, len(rates) + len(failures)))
        report(len(rates) + len(failures))

    pool = ThreadPoolExecutor(workers)
    try:
        for prompt in prompts:
            if prompt.id in log:
                rates[prompt.id] = pass_rate(log.read(prompt.id))
                continue
            waiting[pool.submit(_draw, engine, prompt, _own(sampling, prompt))] = prompt
            if len(waiting) >= 2 * workers:  # prompts may be large, and so many: hold few of them
                for drawn in wait(waiting, return_when=FIRST_COMPLETED).done:
                    finish(drawn)
        while waiting:
            for drawn in wait(waiting, return_when=FIRST_COMPLETED).done:
                finish(drawn)
    finally:
        pool.shutdown(cancel_futures=True)
    _check(failures, len(rates) + len(failures))
    return {prompt_id: rate for prompt_id, rate in rates.items() if rate is not None}


def pass_rate(rollouts: Iterable[Rollout]) -> float | None:
    """Share of correct ones; what the grader failed on does not count. None: it failed on all."""
    graded = [row.verdict.status == "correct" for row in rollouts if row.verdict.status != "error"]
    return sum(graded) / len(graded) if graded else None


def _check(failures: Sequence[str], prompts: int) -> None:
    if len(failures) > MAX_FAILED * prompts:
        raise PassRateError(
            f"curate.pass_rate: the requests of {len(failures)} prompts failed, the first with: {failures[0]}; look at "
            "the endpoint and run again, which asks for the missing prompts alone"
        )


def _draw(engine: Engine, prompt: Prompt, sampling: Sampling) -> list[Completion]:
    return engine.generate([prompt.prompt], sampling)[0]


def _own(sampling: Sampling, prompt: Prompt) -> Sampling:
    digest = hashlib.sha256(f"{sampling.seed} {prompt.id}".encode()).digest()
    seed = int.from_bytes(digest[:4], "little") >> 2  # engines take 31 bits, and sample i has seed + i
    return sampling.model_copy(update={"seed": seed})


def _graded(prompt: Prompt, completions: Sequence[Completion], seed: int) -> list[Rollout]:
    verdicts = grade_many((prompt, one.text, one.finish_reason) for one in completions)
    return [
        Rollout(prompt_id=prompt.id, sample=number, seed=seed + number, response=one.text, tokens=one.tokens,
                finish_reason=one.finish_reason, verdict=verdict)
        for number, (one, verdict) in enumerate(zip(completions, verdicts, strict=True))
    ]  # fmt: skip
