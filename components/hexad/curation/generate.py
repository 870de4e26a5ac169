"""Draw generated questions into disjoint splits, and write them as traces and prompts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from hexad.chat import plan_request, render, with_plan
from hexad.chat.plan import PLAN_CLOSE, PLAN_OPEN
from hexad.curation.config import GeneratedConfig
from hexad.curation.splits import Split, normalise, split_of
from hexad.curation.tasks import TASKS, Worked
from hexad.records import Message, Prompt, Record, Reject, Trace


class Generated(Record):
    """Worked questions by use. `duplicates` counts questions that came up twice and were drawn again."""

    traces: list[Worked]
    prompts: list[Worked]
    validation: list[Worked]
    test: list[Worked]
    duplicates: list[Reject]


def generate(config: GeneratedConfig, seed: int) -> Generated:
    """Fill every use, tasks in turn; validation and test get the same number of questions per domain."""
    rng = Random(seed)
    seen: set[str] = set()
    duplicates: list[Reject] = []
    domains = {name: TASKS[name](Random(0)).domain for name in config.tasks}
    per_domain = {d: sum(1 for x in domains.values() if x == d) for d in domains.values()}

    def draw(name: str, split: Split, count: int) -> Iterator[Worked]:
        tries = 0
        while count > 0:
            worked = TASKS[name](rng)
            tries += 1
            if tries > 2000 + 500 * count:
                raise ValueError(
                    f"curate.generated: {name} has too few different questions for split {split}; ask for fewer"
                )
            if split_of(worked.question) != split:
                continue
            key = normalise(worked.question)
            if key in seen:
                duplicates.append(Reject(row=f"{name}:{key[:80]}", stage="generate", reason="duplicate question"))
                continue
            seen.add(key)
            count -= 1
            yield worked

    def fill(split: Split, shares: Mapping[str, float]) -> list[Worked]:
        """`shares`: task to questions, which may be a fraction; the fractions add up to whole questions."""
        rows: list[Worked] = []
        wanted = 0.0
        for name, share in shares.items():
            wanted += share
            rows += draw(name, split, round(wanted) - len(rows))
        rng.shuffle(rows)
        return rows

    def evenly(total: int, tasks: Sequence[str]) -> dict[str, float]:
        return {name: total / len(tasks) for name in tasks}

    def by_domain(total: int) -> dict[str, float]:
        return {name: total / len(per_domain) / per_domain[domain] for name, domain in domains.items()}

    test = fill("test", by_domain(config.test))
    validation = fill("validation", by_domain(config.validation))
    return Generated(
        traces=fill("train", evenly(config.traces, config.tasks)),
        prompts=fill("train", evenly(config.prompts, config.prompt_tasks)),
        validation=validation,
        test=test,
        duplicates=duplicates,
    )


def as_traces(rows: Iterable[Worked], plan_share: float, seed: int) -> Iterator[Trace]:
    """SFT conversations: the question answered; for a share of them with a plan, and the plan asked for."""
    rng = Random(seed)
    for index, row in enumerate(rows):
        question = [Message(role="user", content=row.question)]
        # The base model starts its working like this; a trace that does too builds on what it knows.
        answer = render(f"Work:\n{row.thinking}", row.answer)
        planned = rng.random() < plan_share
        yield _trace(row, index, "solve", with_plan(question, row.plan) if planned else question, answer)
        if planned:
            yield _trace(row, index, "plan", plan_request(question), f"{PLAN_OPEN}{row.plan}{PLAN_CLOSE}")


def as_prompts(rows: Iterable[Worked], split: str) -> list[Prompt]:
    return [
        Prompt(
            id=f"{split}-{row.task}-{index}",
            domain=row.domain,
            source=row.source,
            revision=row.revision,
            prompt=[Message(role="user", content=row.question)],
            gold=row.gold,
            grader=row.domain,
        )
        for index, row in enumerate(rows)
    ]


def _trace(row: Worked, index: int, kind: str, question: list[Message], answer: str) -> Trace:
    return Trace(
        id=f"{row.task}-{index}-{kind}",
        domain=row.domain,
        source=row.source,
        revision=row.revision,
        messages=[*question, Message(role="assistant", content=answer)],
        tokens=0,
    )
