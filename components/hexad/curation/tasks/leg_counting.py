"""Science: reasoning-gym's leg_counting with two or three animals, worked as products and a running total."""

from random import Random

import reasoning_gym

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold

_LEGS = reasoning_gym.arithmetic.leg_counting.ANIMALS


def make(rng: Random) -> Worked:
    data = reasoning_gym.create_dataset(
        "leg_counting", size=1, seed=rng.getrandbits(31), min_animals=2, max_animals=3, min_instances=2, max_instances=9
    )
    item = data[0]
    total, lines = 0, []
    for animal, count in item["metadata"]["animals"].items():
        legs = _LEGS[animal] * count
        lines.append(f"{animal} {count}*{_LEGS[animal]}={legs} sum {total}+{legs}={total + legs}")
        total += legs
    return Worked(
        task="leg_counting",
        domain="science",
        source="reasoning-gym/leg_counting",
        revision="0.1.25",
        question=item["question"].strip(),
        plan="Multiply each count by the legs of that animal and keep a running sum.",
        thinking="\n".join(lines),
        answer=f"{total} legs",
        gold=Gold(value=total, type="quantity", options={"unit": "legs"}),
    )
