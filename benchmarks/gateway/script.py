"""What the scripted engine says: a pure function of the problem, so that every contestant gets the same candidates.

A problem is a sum, and its text names the trouble that the engine has with it: "Problem 17 (hangs): what is 3 + 4?".
"""

import hashlib
import json
import math
import random
import re
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.gateway import original

ACCURACY = 0.65
"""Probability that one candidate is right."""
DISCERNMENT = 0.95
"""Distance of right from wrong responses in standard deviations of a judge's noise: 75 % of mixed pairs in order."""
LENGTH, SPREAD, LONGEST = 80, 0.5, 400
"""Candidates' tokens: log-normal, as lengths of reasoning are, with this median and spread, and at most so many."""

Trouble = Literal["none", "error", "two errors", "refused", "breaks", "hangs", "truncated", "busy", "prose judge"]
TROUBLES: dict[Trouble, str] = {
    "none": "nothing goes wrong",
    "error": "the first call of a problem gets HTTP 500",
    "two errors": "the first two calls get HTTP 500",
    "refused": "the first candidate gets HTTP 400, as a content filter's refusal",
    "breaks": "the first candidate's connection closes in the middle",
    "hangs": "the first candidate stops in the middle and never ends",
    "truncated": "the first candidate is cut by the token limit",
    "busy": "the first call gets HTTP 429 with Retry-After: 1",
    "prose judge": "whoever is asked to judge or to rate answers in prose",
}
_PROBLEM = re.compile(r"Problem (\d+) \(([a-z ]+)\): what is (\d+) \+ (\d+)\?")
_ANSWER = re.compile(r"<answer>(\d+)</answer>")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Problem:
    number: int
    trouble: Trouble
    left: int
    right: int

    @property
    def text(self) -> str:
        return f"Problem {self.number} ({self.trouble}): what is {self.left} + {self.right}?"

    @property
    def gold(self) -> int:
        return self.left + self.right


@dataclass(frozen=True)
class Said:
    """One reply: its words are its tokens. `status` other than 200 is an error before the first token."""

    text: str
    finish: Literal["stop", "length"] = "stop"
    status: int = 200
    stops_after: int | None = None
    """Tokens after which nothing more comes."""
    breaks: bool = False
    """Whether the connection closes there, rather than staying open."""

    def words(self) -> list[str]:
        words = self.text.split(" ")
        return [word + " " for word in words[:-1]] + words[-1:]


def problem(number: int, trouble: Trouble = "none") -> Problem:
    draw = random.Random(f"problem {number}")
    return Problem(number, trouble, draw.randrange(100, 1000), draw.randrange(100, 1000))


def read_problem(messages: list[dict[str, Any]]) -> Problem:
    """The problem that a conversation is about. Raises ValueError when there is none in it."""
    found = _PROBLEM.search("\n".join(str(m.get("content") or "") for m in messages))
    if found is None:
        raise ValueError("no problem in this conversation")
    trouble: Any = found[2]
    return Problem(int(found[1]), trouble, int(found[3]), int(found[4]))


def read_answer(content: str) -> int | None:
    """The last number of a contestant's answer; None where there is none."""
    numbers = _NUMBER.findall(content.rpartition("</think>")[2])
    return int(numbers[-1]) if numbers else None


def side_call(messages: list[dict[str, Any]]) -> Said | None:
    """The reply to a planner's or a judge's prompt; None for a request to solve the problem."""
    asked, last = read_problem(messages), str(messages[-1].get("content") or "")
    reply = _plan(asked, last) or _verdict(asked, last, messages)
    return None if reply is None else Said(reply)


def _plan(asked: Problem, last: str) -> str | None:
    if last.startswith(original.TOPICS):
        topics = {"is_hard_problem": True, "plan": _filler("topics", 40), "search_list": ["addition", "carrying"]}
        return json.dumps(topics)
    if last.startswith(("Plan:", original.PLAN)):
        return "<plan>" + _filler(f"plan {asked.number}", 60) + "</plan>"
    return None


def _verdict(asked: Problem, last: str, messages: list[dict[str, Any]]) -> str | None:
    prose = asked.trouble == "prose judge"
    if last.startswith(original.COMPARE):
        first, second = original.read_pair(last)
        better = int(strength(asked, second) > strength(asked, first))
        verdict = json.dumps({"index": better, "explanation": _filler("verdict", 30)})
        return f"Response {better} is the better one." if prose else verdict
    if last.startswith("Rate the above response"):
        rating = _of_ten(strength(asked, str(messages[-2]["content"])))
        return f"Rating: {rating}/10" if prose else f"{rating}"
    if last.startswith("Score the following conversation"):
        rating = _of_ten(strength(asked, last))
        return f"I give it {rating}." if prose else json.dumps({"score": rating, "reasoning": _filler("s", 10)})
    return None


def candidate(asked: Problem, k: int) -> Said:
    """The k-th candidate that a contestant asks for, from 0."""
    text, length = _solution(asked, k)
    if k == 0:
        match asked.trouble:
            case "refused":
                return Said("", status=400)
            case "breaks":
                return Said(text, stops_after=length // 2, breaks=True)
            case "hangs":
                return Said(text, stops_after=length // 2)
            case "truncated":
                return Said(" ".join(text.split(" ")[: length // 2]), finish="length")
    return Said(text)


def failing_calls(trouble: Trouble) -> tuple[int, int]:
    """How many calls fail at the start of a problem, whatever they are for, and with which status."""
    return {"error": (1, 500), "two errors": (2, 500), "busy": (1, 429)}.get(trouble, (0, 200))


def strength(asked: Problem, response: str) -> float:
    """What a judge or verifier thinks of a response: right ones score higher on average."""
    answers = _ANSWER.findall(response)
    if not answers:
        return -3.0
    noise = random.Random(hashlib.sha256(f"{asked.number} {answers[-1]} {len(response) % 97}".encode()).digest())
    return DISCERNMENT * (int(answers[-1]) == asked.gold) + noise.gauss(0, 1)


def probability(asked: Problem, response: str) -> float:
    """The same as a verifier's score."""
    return 1 / (1 + math.exp(-strength(asked, response)))


def _of_ten(value: float) -> float:
    return round(min(10.0, max(0.0, 5 + 1.5 * value)), 1)


def _solution(asked: Problem, k: int) -> tuple[str, int]:
    draw = random.Random(f"candidate {asked.number} {k}")
    length = max(12, min(LONGEST, round(LENGTH * math.exp(draw.gauss(0, SPREAD)))))
    answer = asked.gold if draw.random() < ACCURACY else asked.gold + draw.choice((1, 9, 10, 90, 100))
    thought = _filler(f"thought {asked.number} {k}", length - 6)
    return f"<think> {thought} </think> The sum is <answer>{answer}</answer>", length


def _filler(seed: str, words: int) -> str:
    draw = random.Random(seed)
    return " ".join(
        draw.choice(("add", "the", "ones", "then", "carry", "to", "tens", "and", "check")) for _ in range(words)
    )
