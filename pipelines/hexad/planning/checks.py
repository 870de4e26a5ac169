"""What in a plan would not work, each with its mend."""

import math
from collections.abc import Iterable, Iterator

from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.planning.amounts import contexts, data_of, sft_rows
from hexad.planning.config import ModelShape
from hexad.planning.decoding import Engine
from hexad.planning.hardware import GB
from hexad.planning.rows import Problem
from hexad.planning.stages import Work

_GIB = 2**30
_HOUR = 3600.0
_LONGEST_TRY_S = 30 * 24 * _HOUR  # nobody waits for more; such a stage needs less work, not a longer timeout
_FEWER_ROWS = {
    "sft": "raise sft.gradient_accumulation",
    "rlvr": "raise rlvr.gradient_accumulation",
    "verifier": "lower verifier.max_tokens",
    "drafter": "lower drafter.batch_rows",
}
_SHORTER_ROWS = {
    "sft": "lower curate.pack_tokens and curate.max_tokens",
    "rlvr": "lower rlvr.max_completion_tokens",
    "verifier": "lower verifier.max_tokens",
    "drafter": "lower rlvr.max_completion_tokens",
}


def problems(recipe: Recipe, profile: Profile, shape: ModelShape, works: Iterable[Work]) -> Iterator[Problem]:
    """Everything at once."""
    for source in data_of(recipe).unsized:
        mend = f"give plan.sources {{{source}: {{rows: …}}}}"
        yield Problem(stage="curate", what=f"nobody says how many rows {source} has, so it counts as empty", mend=mend)
    for setting, tokens in contexts(recipe):
        if tokens > shape.max_position_embeddings:
            mend = f"lower it to {shape.max_position_embeddings}, or take a model with more positions"
            yield Problem(stage="model", what=f"{setting} is {tokens} tokens, more than its positions", mend=mend)
    for work in works:
        yield from _step(recipe, work)
        too_large = [*_memory(recipe, work), *_host(work), *_engine(recipe, work)]
        # How long a stage takes that cannot run says nothing.
        yield from too_large or _time(profile, work)


def _step(recipe: Recipe, work: Work) -> Iterator[Problem]:
    """Each device takes batch_rows: more devices make larger steps, not shorter ones."""
    rows = sft_rows(recipe, data_of(recipe)).rows
    if work.row.stage != "sft" or work.training is None or not rows:
        return
    on = 1 if work.devices.on_cpu else work.devices.count
    if recipe.sft.batch_rows * on > rows:
        what = f"a step takes batch_rows {recipe.sft.batch_rows} on each of {on} devices, but an epoch has {rows} rows"
        yield Problem(stage="sft", what=what, mend=f"lower sft.batch_rows to {max(1, rows // on)} or less")


def _memory(recipe: Recipe, work: Work) -> Iterator[Problem]:
    held, row = work.training, work.row
    if held is None:
        return
    usable = work.devices.memory * recipe.plan.assumptions.usable_memory
    where = "here" if work.devices.on_cpu else f"on one {work.devices.card.name}"
    room = f"{usable / GB:,.0f} GB that can be used {where}"
    if held.states > usable:
        what = f"weights, gradients and optimizer take {held.states / GB:,.0f} GB on one device, more than the {room}"
        yield Problem(stage=row.stage, what=what, mend=_states_mend(held.states, usable, work, recipe))
        return
    batch = held.activations + held.logits
    if held.total > usable:
        fit = math.floor((usable - held.states) / (batch / work.micro_rows))
        # A group's rollouts stay together: rlvr's micro-batches are whole groups.
        least = recipe.rlvr.group_size if row.stage == "rlvr" else 1
        mend = _FEWER_ROWS[row.stage] if least <= fit else _SHORTER_ROWS[row.stage]
        what = f"a micro-batch of {work.micro_rows} rows takes {batch / GB:,.0f} GB beside {held.states / GB:,.0f} GB, "
        yield Problem(stage=row.stage, what=what + f"more than the {room}; {fit} rows fit", mend=mend)
    if held.states + work.rollout_kv > usable:
        rollouts = recipe.rlvr.prompts_per_step * recipe.rlvr.group_size
        fit = max(0, math.floor((usable - held.states) / (work.rollout_kv / rollouts)))
        what = f"the KV cache of {rollouts} rollouts drawn at once takes {work.rollout_kv / GB:,.0f} GB; {fit} fit"
        mend = "lower rlvr.prompts_per_step, rlvr.group_size or rlvr.max_completion_tokens"
        yield Problem(stage=row.stage, what=what, mend=mend)


def _states_mend(states: float, usable: float, work: Work, recipe: Recipe) -> str:
    """More GPUs are no mend as long as a stage does not spread its model over them."""
    if work.devices.on_cpu:
        return "raise placement.train.memory in the profile, or take a smaller model"
    if recipe.plan.assumptions.sharded:
        gpus = math.ceil(states * work.devices.count / usable)
        return f"placement.train.accelerators: {gpus} at least, or a smaller model"
    return (
        f"take a smaller model or larger cards; spread over {math.ceil(states / usable)} cards they would fit, but the "
        "stage does not spread them (--assume sharded=true shows what that would take)"
    )


def _host(work: Work) -> Iterator[Problem]:
    row, has = work.row, work.devices.host_memory
    if work.devices.on_cpu or row.host_gb is None or row.host_gb * GB <= has:
        return
    what = f"{row.host_gb:,.0f} GB in the host's memory, where the profile allows {has / GB:,.0f} GB"
    yield Problem(stage=row.stage, what=what, mend="raise its role's memory under placement in the profile")


def _engine(recipe: Recipe, work: Work) -> Iterator[Problem]:
    engine, row = work.engine, work.row
    if engine is None:
        return
    settings, usable = recipe.serve.engine, engine.devices.memory * recipe.plan.assumptions.usable_memory
    heads, kv_heads, gpus = engine.shape.num_attention_heads, engine.shape.kv_heads, engine.gpus
    if heads % gpus or (kv_heads % gpus and gpus % kv_heads):
        fitting = [n for n in range(1, gpus) if not heads % n and not (kv_heads % n and n % kv_heads)]
        what = f"{gpus} GPUs cannot share {heads} heads and {kv_heads} key-value heads"
        yield Problem(stage=row.stage, what=what, mend=f"placement.serve.accelerators: {fitting[-1]}")
    yield from _kv_cache(row.stage, settings.max_model_len, engine, usable)


def _kv_cache(stage: str, longest: int, engine: Engine, usable: float) -> Iterator[Problem]:
    """vLLM does not start when its KV cache cannot hold one sequence of `longest` tokens."""
    wanted = longest * engine.kv_per_token
    with_one = engine.per_gpu + (wanted - max(0.0, engine.kv_room)) / engine.gpus
    if with_one > usable:
        what = (
            f"weights and one sequence of serve.engine.max_model_len {longest} take {with_one / GB:,.0f} GB on a device"
        )
        mend = "lower serve.engine.max_model_len, or take larger cards"
        more = "" if engine.devices.on_cpu else ", or give placement.serve more accelerators"
        yield Problem(stage=stage, what=f"{what}, where {usable / GB:,.0f} GB can be used", mend=mend + more)
    elif engine.kv_room < wanted:
        held = max(0, math.floor(engine.kv_room / engine.kv_per_token))
        mend = f"raise serve.engine.kv_cache_gib to {math.ceil(wanted / _GIB)}"
        if not engine.devices.on_cpu:
            share = "raise endpoint.gpu_memory_utilization in the profile"
            mend = share if stage == "endpoint" else "give placement.serve more accelerators"
        mend += ", or lower serve.engine.max_model_len"
        what = f"the KV cache holds {held} tokens, fewer than serve.engine.max_model_len {longest}"
        yield Problem(stage=stage, what=what, mend=mend)
    elif engine.per_gpu > usable:
        what = f"weights and KV cache take {engine.per_gpu / GB:,.0f} GB, where {usable / GB:,.0f} GB can be used"
        yield Problem(stage=stage, what=what, mend="lower serve.engine.kv_cache_gib")


def _time(profile: Profile, work: Work) -> Iterator[Problem]:
    stage, seconds = work.row.stage, work.longest_s or (work.row.hours or 0) * _HOUR
    limit = profile.tasks.timeout(stage) if profile.cluster else 0
    if limit and seconds > limit:
        what = f"{seconds / _HOUR:,.1f} hours, but a try may run {limit / _HOUR:,.1f}"
        longer = f"raise tasks.timeout_s.{stage} in the profile to {math.ceil(1.5 * seconds)}"
        mend = longer if seconds < _LONGEST_TRY_S else "lower its amounts, or give its role more accelerators"
        yield Problem(stage=stage, what=what, mend=mend)
