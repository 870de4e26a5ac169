"""Each stage's work, memory and time on the devices that a profile gives it."""

from dataclasses import dataclass

from hexad.engines.gpus import ALONE, SIDE_BY_SIDE, most_that_share
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.planning import amounts
from hexad.planning.config import ModelShape
from hexad.planning.decoding import Engine, rollout_seconds, sampling_seconds
from hexad.planning.hardware import GB, Devices, devices
from hexad.planning.memory import TrainingMemory, forward_memory, training_memory
from hexad.planning.model import BYTES, forward_flops, kv_bytes, parameters, training_flops
from hexad.planning.rows import StagePlan
from hexad.stage.boxes import BOXES, SECTIONS
from hexad.verifier.config import BATCH_ROWS, BATCH_TOKENS

_HOUR = 3600.0
_GIB = 2**30


@dataclass(frozen=True)
class Work:
    """A stage before it is judged: what checks need beside the row."""

    row: StagePlan
    devices: Devices
    training: TrainingMemory | None = None
    micro_rows: int = 0
    """Rows of a device's micro-batch."""
    rollout_kv: float = 0.0
    """Bytes of the KV cache of all rollouts that are drawn at once."""
    engine: Engine | None = None
    longest_s: float | None = None
    """Of the longest task, where a stage has several beside each other."""


class Planner:
    """Works out each stage of one recipe on one profile for a base model of `shape`."""

    def __init__(self, recipe: Recipe, profile: Profile, shape: ModelShape) -> None:
        self.recipe, self.profile, self.shape = recipe, profile, shape
        self.assumed = recipe.plan.assumptions
        self.data = amounts.data_of(recipe)

    def works(self) -> list[Work]:
        """Stages in their order; those that a recipe switches off do nothing."""
        makers = {
            "curate": self._curate, "sft": self._sft, "rlvr": self._rlvr, "verifier": self._verifier,
            "drafter": self._drafter, "serve": self._serve, "evaluate": self._evaluate,
        }  # fmt: skip
        found = [makers[section]() if section in makers else self._small(section) for section in SECTIONS]
        return [*found, *self._endpoint()]

    def devices(self, section: str) -> Devices:
        """What a task of the stage has in this profile."""
        role = next(box.image for box in BOXES.values() if box.section == section)
        return devices(self.profile.placement.get(role), self.assumed)

    def _row(self, stage: str, on: Devices, seconds: float | None = None, note: str = "", **more: float) -> StagePlan:
        hours = None if seconds is None else seconds / _HOUR
        return StagePlan(
            stage=stage, devices=on.label, gpus=0 if on.on_cpu else on.count, hours=hours, note=note, **more
        )

    def _small(self, section: str) -> Work:
        on = self.devices(section)
        return Work(self._row(section, on, note="reads and checks only"), on)

    def _off(self, section: str) -> Work:
        on = self.devices(section)
        return Work(self._row(section, on, 0.0, "off"), on)

    def _curate(self) -> Work:
        on = self.devices("curate")
        seconds = self.data.trace_tokens / (self.assumed.curate_tokens_per_s * on.cores)
        note = f"{self.data.traces:,} traces, {self.data.prompts:,} prompts"
        return Work(self._row("curate", on, seconds, note, tokens=self.data.trace_tokens), on)

    def _trained(
        self, stage: str, dtype: str, rows: int, tokens: float, scored: float, flops: float, all_tokens: float,
        layers: int | None = None, host: float = 0.0, more_seconds: float = 0.0, kv: float = 0.0, note: str = "",
    ) -> Work:  # fmt: skip
        """`rows`, `tokens`, `scored`: of one device's micro-batch. `kv`: bytes while rollouts are drawn."""
        on = self.devices(stage)
        held = training_memory(self.shape, dtype, tokens, scored, on.count, self.assumed, layers)
        seconds = flops / (on.flops(dtype, on.count) * self.assumed.training_utilisation)
        need = max(held.total, held.states + kv)
        row = self._row(
            stage, on, seconds + more_seconds, note, tokens=all_tokens, memory_gb=need / GB, has_gb=on.memory / GB,
            host_gb=max(host, held.weights) / GB,
        )  # fmt: skip
        return Work(row, on, held, rows, kv)

    def _sft(self) -> Work:
        sft = self.recipe.sft
        if not sft.enabled:
            return self._off("sft")
        seen = amounts.sft_rows(self.recipe, self.data)
        micro = max(1, sft.batch_rows // sft.gradient_accumulation)
        on = self.devices("sft")
        step = sft.batch_rows * (1 if on.on_cpu else on.count)
        note = f"{step:,} rows a step (batch_rows on each device), {seen.rows:,} rows an epoch"
        flops = training_flops(self.shape, seen.tokens, self.data.trace_length)
        held = micro * seen.row_tokens
        return self._trained("sft", sft.dtype, micro, held, held, flops, seen.tokens, note=note)

    def _rlvr(self) -> Work:
        rlvr = self.recipe.rlvr
        if not rlvr.enabled:
            return self._off("rlvr")
        on, drawn = self.devices("rlvr"), amounts.rollouts(self.recipe)
        step = rlvr.prompts_per_step * rlvr.group_size
        micro = step // rlvr.gradient_accumulation
        prompt = amounts.prompt_tokens(self.recipe)
        length = prompt + amounts.response_tokens(rlvr.max_completion_tokens, self.assumed)
        full = amounts.rollout_length(self.recipe)
        drawing = rollout_seconds(self.shape, rlvr.dtype, on, step, prompt, rlvr.max_completion_tokens, self.assumed)
        asked = self.recipe.curate.generated.validation
        checks = rlvr.validations + 1 if rlvr.validations else 0
        validating = sampling_seconds(
            self.shape, rlvr.dtype, on, asked, prompt, rlvr.max_completion_tokens, self.assumed
        )
        spread = on.count if self.assumed.sharded else 1
        return self._trained(
            "rlvr", rlvr.dtype, micro, micro * full, micro * rlvr.max_completion_tokens,
            training_flops(self.shape, drawn * length, length), drawn * length,
            more_seconds=rlvr.steps * drawing + checks * validating,
            kv=step * full * kv_bytes(self.shape, rlvr.dtype) / spread,
            note=f"{drawn:,} rollouts, {step:,} at once",
        )  # fmt: skip

    def _verifier(self) -> Work:
        """Reads rollouts forward, on one device: nothing but a head of three numbers is trained."""
        verifier, dtype = self.recipe.verifier, self.recipe.rlvr.dtype
        if not verifier.enabled:
            return self._off("verifier")
        rows, prompt = amounts.verifier_rows(self.recipe), amounts.prompt_tokens(self.recipe)
        response = amounts.response_tokens(self.recipe.rlvr.max_completion_tokens, self.assumed)
        length = min(verifier.max_tokens, prompt + response)
        on, asked = self.devices("verifier"), self.recipe.curate.generated.validation * verifier.validation_samples
        measuring = sampling_seconds(self.shape, dtype, on, asked, prompt, verifier.max_tokens // 2, self.assumed)
        reading = forward_flops(self.shape, rows * length, length)
        batch = max(1, min(BATCH_ROWS, BATCH_TOKENS // verifier.max_tokens))
        held = forward_memory(self.shape, dtype, batch * verifier.max_tokens)
        row = self._row(
            "verifier", on, reading / (on.flops(dtype, 1) * self.assumed.training_utilisation) + measuring,
            f"{rows:,} rollouts, read once", tokens=rows * length, memory_gb=held.total / GB, has_gb=on.memory / GB,
            host_gb=held.weights / GB,
        )  # fmt: skip
        return Work(row, on, held, batch)

    def _drafter(self) -> Work:
        drafter, rlvr = self.recipe.drafter, self.recipe.rlvr
        if not drafter.enabled:
            return self._off("drafter")
        rows = amounts.drafter_rows(self.recipe)
        length = amounts.prompt_tokens(self.recipe) + amounts.response_tokens(rlvr.max_completion_tokens, self.assumed)
        tokens = rows * length * drafter.epochs
        held = drafter.batch_rows * amounts.rollout_length(self.recipe)
        both = (parameters(self.shape) + parameters(self.shape, drafter.layers)) * BYTES["float32"]
        return self._trained(
            "drafter", "float32", drafter.batch_rows, held, held,
            training_flops(self.shape, tokens, length, drafter.layers), tokens, drafter.layers, host=both,
            note=f"{parameters(self.shape, drafter.layers) / 1e6:,.0f} M parameters, in float32",
        )  # fmt: skip

    def engine(self, on: Devices, gpus: int, share: float) -> Engine:
        """`share`: of each GPU's memory that vLLM takes. On a CPU the recipe says how large its KV cache is."""
        draft = self.recipe.drafter.layers if self._drafts else None
        dtype = self.recipe.serve.engine.dtype
        empty = Engine(self.shape, dtype, on, gpus, draft, 0.0, self.assumed)
        kv_room = (on.memory * share - empty.per_gpu) * gpus
        if on.on_cpu:
            kv_room = self.recipe.serve.engine.kv_cache_gib * _GIB
        return Engine(self.shape, dtype, on, gpus, draft, kv_room, self.assumed)

    @property
    def _drafts(self) -> bool:
        return self.recipe.serve.speculation.method == "draft_model" and self.recipe.drafter.enabled

    def _stage_engine(self, section: str, share: float) -> Engine:
        """The engine inside a task, on as many of its GPUs as can share the model."""
        on = self.devices(section)
        gpus = most_that_share(on.count, self.shape.num_attention_heads, self.shape.kv_heads)
        return self.engine(on, gpus, share)

    def _generated(
        self, section: str, engine: Engine, seconds: float, tokens: float, note: str, longest: float | None = None
    ) -> Work:
        on = engine.devices
        row = self._row(
            section, on, seconds, note, tokens=tokens, memory_gb=engine.per_gpu / GB, has_gb=on.memory / GB,
            host_gb=self._scorer / GB,
        )  # fmt: skip
        return Work(row, on, engine=engine, longest_s=longest)

    @property
    def _scorer(self) -> float:
        """Bytes of the verifier, which scores on the CPU in the type of the policy."""
        return parameters(self.shape) * BYTES[self.recipe.rlvr.dtype] if self.recipe.verifier.enabled else 0.0

    def _serve(self) -> Work:
        engine, count = self._stage_engine("serve", SIDE_BY_SIDE), amounts.lossless_responses(self.recipe)
        mean = amounts.response_tokens(self.recipe.serve.lossless.max_tokens, self.assumed)
        speed = engine.tokens_per_s(amounts.prompt_tokens(self.recipe), mean, self.recipe.serve.engine.max_num_seqs)
        note = "" if engine.devices.on_cpu else f"two engines side by side on {engine.gpus} GPUs"
        return self._generated("serve", engine, count * mean / speed, count * mean, note)

    def _evaluate(self) -> Work:
        engine, evaluate = self._stage_engine("evaluate", ALONE), self.recipe.evaluate
        mean = amounts.response_tokens(evaluate.max_tokens, self.assumed)
        at_most = min(self.recipe.serve.engine.max_num_seqs, evaluate.concurrency)
        speed = engine.tokens_per_s(amounts.prompt_tokens(self.recipe), mean, at_most)
        tokens = amounts.evaluated_tokens(self.recipe)
        tasks = [count / speed for count in tokens.values()]
        note = f"{len(evaluate.cells)} cells in {len(tokens)} tasks, 2 at a time; {speed:,.0f} tokens/s each"
        wall = amounts.parallel_seconds(tasks)
        return self._generated("evaluate", engine, wall, sum(tokens.values()), note, max(tasks))

    def _endpoint(self) -> list[Work]:
        """The engine that a profile's endpoint runs, over all GPUs of its pod."""
        site = self.profile.endpoint
        if site is None or site.external is not None:
            return []
        on = self.devices("serve")
        engine = self.engine(on, on.count, site.gpu_memory_utilization)
        prompt = amounts.prompt_tokens(self.recipe)
        mean = amounts.response_tokens(self.recipe.evaluate.max_tokens, self.assumed)
        at_most = self.recipe.serve.engine.max_num_seqs
        full = engine.sequences(self.recipe.serve.engine.max_model_len)
        speed = engine.tokens_per_s(prompt, mean, at_most)
        note = f"KV cache of {max(0.0, engine.kv_room) / GB:,.0f} GB: {full} full sequences; {speed:,.0f} tokens/s"
        row = self._row("endpoint", on, None, note, memory_gb=engine.per_gpu / GB, has_gb=on.memory / GB)
        return [Work(row, on, engine=engine)]
