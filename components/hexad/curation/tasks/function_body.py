"""Code: write a Python function from a description of its steps; judged by running it."""

from random import Random

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold

_STEPS = {
    "adds {n}": "{x} + {n}",
    "subtracts {n}": "{x} - {n}",
    "multiplies by {n}": "{x} * {n}",
    "takes the remainder by {n}": "{x} % {n}",
    "divides by {n} without remainder": "{x} // {n}",
    "squares it": "{x} ** 2",
    "takes the larger of it and {n}": "max({x}, {n})",
    "takes the smaller of it and {n}": "min({x}, {n})",
    "negates it": "-{x}",
}
_ARGUMENTS = (0, 1, 2, 3, 7, 12, 25, -4, -11)


def make(rng: Random) -> Worked:
    count = rng.choice((2, 3, 3))
    expression, words, thinking = "x", [], []
    whole = True  # a name or a call, which needs no brackets inside another operation
    for _ in range(count):
        phrase, code = rng.choice(list(_STEPS.items()))
        n = rng.randint(2, 19)
        bare = whole or code.startswith(("max", "min"))
        expression = code.format(x=expression if bare else f"({expression})", n=n)
        whole = code.startswith(("max", "min"))
        words.append(phrase.format(n=n))
        thinking.append(f"{words[-1]}: {expression}")
    steps = ", then ".join(words)
    tests = [[[x], eval(expression, {"x": x, "max": max, "min": min})] for x in _ARGUMENTS]
    return Worked(
        task="function_body",
        domain="code",
        source="hexad/function_body",
        revision="3",
        question=f"Write a Python function f(x) that takes x, {steps}.",
        plan="Build the expression from the inside out, one step at a time.",
        thinking="\n".join(thinking),
        answer=f"```python\ndef f(x):\n    return {expression}\n```",
        gold=Gold(value=tests, type="function", options={"name": "f"}),
    )
