"""Science: distance, speed and time, with units."""

from random import Random

from hexad.curation.tasks.worked import Worked
from hexad.records import Gold

_THINGS = ("cart", "train", "runner", "boat", "drone", "bus")


def make(rng: Random) -> Worked:
    thing, speed, time = rng.choice(_THINGS), rng.randint(11, 79), rng.randint(3, 9)
    distance = speed * time
    tens, ones = speed // 10 * 10, speed % 10
    product = f"{tens}*{time}={tens * time}\n{ones}*{time}={ones * time}\n{tens * time}+{ones * time}={distance}"
    if rng.random() < 0.6:
        question = f"A {thing} moves at {speed} m/s for {time} s. How far does it get?"
        plan, thinking = "Distance is speed times time; split the speed into tens and ones.", product
        value, unit = distance, "m"
    else:
        question = f"A {thing} needs {time} s for {distance} m. How fast is it?"
        plan = "Speed is distance over time; find tens and ones of the quotient."
        rest = distance - tens * time
        thinking = (
            f"{tens}*{time}={tens * time}\n{distance}-{tens * time}={rest}\n{rest}/{time}={ones}\n{tens}+{ones}={speed}"
        )
        value, unit = speed, "m/s"
    return Worked(
        task="travel",
        domain="science",
        source="hexad/travel",
        revision="1",
        question=question,
        plan=plan,
        thinking=thinking,
        answer=f"{value} {unit}",
        gold=Gold(value=value, type="quantity", options={"unit": unit}),
    )
