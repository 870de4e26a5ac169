"""GRPO with TRL; the reward is the grader's verdict, and an infrastructure error is no reward at all."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from trl import GRPOConfig

from hexad.chat import prompt_text
from hexad.grading import GraderReward
from hexad.records import Prompt, Rollout
from hexad.rlvr.config import RlvrConfig
from hexad.rlvr.informative import InformativeGRPOTrainer
from hexad.rlvr.rollout_log import RolloutLog
from hexad.rlvr.validation import Validation
from hexad.training import Curve, SealCheckpoints, curve_rows, last_sealed, prepare

_NAMES = {
    "reward": "reward",
    "reward_std": "reward_std",
    "frac_reward_zero_std": "frac_reward_zero_std",
    "entropy": "entropy",
    "completions/mean_length": "completion_length",
    "completions/clipped_ratio": "clipped_ratio",
    "loss": "loss",
    "grad_norm": "grad_norm",
    "validation": "validation",
    "step_time": "step_time",
}

OUTPUT_NORM = "model.norm.weight"


def train(
    config: RlvrConfig,
    model_path: Path,
    prompts: Sequence[Prompt],
    validation: Sequence[Prompt],
    out: Path,
    scratch: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> tuple[list[dict[str, float]], list[Rollout]]:
    """Train the policy at `model_path`, save it under `out`, return the curve and every rollout."""
    prepare(seed)
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype=getattr(torch, config.dtype))
    rows = prompt_rows(prompts, tokenizer, config, seed)
    checkpoints = scratch / "checkpoints"
    log = RolloutLog(scratch / "rollouts.jsonl", seed)
    reward = GraderReward(log.append, end=tokenizer.eos_token_id)
    rollouts = config.prompts_per_step * config.group_size
    arguments = GRPOConfig(
        output_dir=str(checkpoints),
        seed=seed,
        max_steps=config.steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.scheduler,
        warmup_steps=math.ceil(config.steps * config.warmup),
        per_device_train_batch_size=rollouts // config.gradient_accumulation,
        gradient_accumulation_steps=config.gradient_accumulation,
        num_generations=config.group_size,
        max_completion_length=config.max_completion_tokens,
        temperature=config.temperature,
        top_p=1.0,
        top_k=0,
        epsilon=config.epsilon,
        epsilon_high=config.epsilon_high,
        beta=config.beta,
        loss_type=config.loss_type,
        scale_rewards=config.scale_rewards,
        mask_truncated_completions=config.mask_truncated,
        max_grad_norm=config.max_grad_norm,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=max(1, config.steps // 60),
        report_to=[],
        disable_tqdm=True,
        save_strategy="steps" if config.checkpoints else "no",
        save_steps=max(1, config.steps // max(1, config.checkpoints)),
        save_total_limit=2,
    )
    watch = Validation(validation, config, tokenizer)
    trainer = InformativeGRPOTrainer(
        model=model,
        args=arguments,
        reward_funcs=reward,
        train_dataset=rows,
        processing_class=tokenizer,
        optimizers=(optimizer(model, config), None),
        callbacks=[Curve(report, "reward"), SealCheckpoints(), watch],
    )
    trainer.train(resume_from_checkpoint=last_sealed(checkpoints))
    trainer.model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return curve_rows(trainer.state.log_history, _NAMES), log.read()


def optimizer(model: PreTrainedModel, config: RlvrConfig) -> torch.optim.AdamW:
    """AdamW without weight decay. The last norm's gains scale all logits, as a temperature does: what is learnt there
    in one direction takes thousands of small steps at the rate that is safe for the other weights."""
    gains = [p for name, p in model.named_parameters() if name.endswith(OUTPUT_NORM)]
    others = [p for name, p in model.named_parameters() if not name.endswith(OUTPUT_NORM)]
    rate = config.output_norm_learning_rate or config.learning_rate
    groups = [{"params": others, "lr": config.learning_rate}, {"params": gains, "lr": rate}]
    return torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)


def prompt_rows(
    prompts: Sequence[Prompt], tokenizer: PreTrainedTokenizerBase, config: RlvrConfig, seed: int
) -> Dataset:
    """Columns prompt (rendered text) and row (the Prompt as JSON), as many epochs as the steps need, each reshuffled.

    TRL's sampler replays the first epoch's order after a resume; one long epoch has a single order.
    """
    rendered = [prompt_text(p.prompt) for p in prompts]
    lengths = [len(ids) for ids in tokenizer(rendered, add_special_tokens=False)["input_ids"]]
    usable = [i for i, n in enumerate(lengths) if n <= config.max_prompt_tokens]
    if len(usable) < config.prompts_per_step:
        raise ValueError(
            f"rlvr: {len(usable)} of {len(prompts)} prompts have at most {config.max_prompt_tokens} tokens, fewer than "
            f"prompts_per_step {config.prompts_per_step}; raise max_prompt_tokens or curate more prompts"
        )
    rng = Random(seed)
    order: list[int] = []
    while len(order) < config.steps * config.prompts_per_step:
        order += rng.sample(usable, len(usable))
    order = order[: config.steps * config.prompts_per_step]
    return Dataset.from_dict(
        {"prompt": [rendered[i] for i in order], "row": [prompts[i].model_dump_json() for i in order]}
    )
