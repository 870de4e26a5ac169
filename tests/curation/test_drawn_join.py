"""Which of reasoning-gym's rows join the generated ones, and why the others do not."""

from hexad.curation.config import CurateConfig
from hexad.curation.generate import Generated
from hexad.curation.own_rows import with_drawn
from hexad.records import Reject

NOTHING = Generated(traces=[], prompts=[], validation=[], test=[], duplicates=[])


def test_prompts_of_reasoning_gym_join_once_and_never_from_a_held_out_split() -> None:
    config = CurateConfig.model_validate({"base": {"kind": "random"}, "generated": {"reasoning_gym": {"gcd": 30}}})
    rejects: list[Reject] = []
    _, prompts = with_drawn(config, NOTHING, 0, rejects)
    assert len(prompts) + len(rejects) == 30
    assert {p.source for p in prompts} == {"reasoning-gym/gcd"} and len(prompts) > 20
    assert {r.stage for r in rejects} <= {"split", "dedupe"}
