"""Distil the target into its own first layers, on text that the target wrote.

Training on the target's samples minimises the forward KL divergence, and so raises the chance sum_x min(p(x), q(x))
that speculative sampling accepts a drafted token (Leviathan et al., arXiv 2211.17192).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.drafter.config import DrafterConfig
from hexad.records import Prompt, Rollout
from hexad.training import prepare
from hexad.training.supervised import Schedule, fine_tune

IGNORED = -100
_HELD_OUT = 256


def distil(
    config: DrafterConfig,
    target_path: Path,
    rollouts: Sequence[Rollout],
    prompts: Mapping[str, Prompt],
    out: Path,
    checkpoints: Path,
    seed: int,
    report: Callable[[float, str], None],
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Train and save the draft; return its curve and its acceptance on held-out rollouts of the target."""
    prepare(seed)
    tokenizer = AutoTokenizer.from_pretrained(target_path)
    target = AutoModelForCausalLM.from_pretrained(target_path, dtype=torch.float32).eval()
    draft = first_layers(target, target_path, config.layers)
    newest = [r for r in rollouts if r.prompt_id in prompts and r.response][-config.max_rollouts - _HELD_OUT :]
    questions = [prompt_text(prompts[r.prompt_id].prompt) for r in newest]
    ends = [END_OF_TURN if r.finish_reason == "stop" else "" for r in newest]
    heads = tokenizer(questions, add_special_tokens=False)["input_ids"]
    tails = tokenizer([r.response + e for r, e in zip(newest, ends, strict=True)], add_special_tokens=False)[
        "input_ids"
    ]
    ids = [h + t for h, t in zip(heads, tails, strict=True)]
    labels = [[IGNORED] * len(h) + t for h, t in zip(heads, tails, strict=True)]
    held = min(_HELD_OUT, len(ids) // 4)
    rows = Dataset.from_dict({"input_ids": ids[: len(ids) - held], "labels": labels[: len(ids) - held]})
    schedule = Schedule.model_validate(config.model_dump(include={"epochs", "learning_rate", "warmup", "batch_rows"}))
    curve = fine_tune(schedule, draft, tokenizer, rows, None, out, checkpoints, seed, report)
    alpha = acceptance_probability(
        target, draft.eval(), ids[len(ids) - held :], [len(h) for h in heads[len(ids) - held :]]
    )
    return curve, {
        "acceptance_probability": alpha,
        "layers": float(config.layers),
        "parameters_ratio": draft.num_parameters() / target.num_parameters(),
    }


def first_layers(target: PreTrainedModel, path: Path, layers: int) -> PreTrainedModel:
    """A model of the target's architecture with its embeddings, its first `layers` layers, its norm and its head."""
    shape = AutoConfig.from_pretrained(path)
    shape.num_hidden_layers = min(layers, shape.num_hidden_layers)
    if getattr(shape, "layer_types", None):
        shape.layer_types = shape.layer_types[: shape.num_hidden_layers]
    draft = AutoModelForCausalLM.from_config(shape, dtype=torch.float32)
    draft.load_state_dict(target.state_dict(), strict=False)
    return draft


@torch.no_grad()
def acceptance_probability(
    target: PreTrainedModel, draft: PreTrainedModel, ids: Sequence[Sequence[int]], starts: Sequence[int]
) -> float:
    """Mean over response tokens of sum_x min(p(x), q(x)): the chance that a sampled draft token is accepted."""
    total, count = 0.0, 0
    for row, start in zip(ids, starts, strict=True):
        tokens = torch.tensor([list(row)])
        p = torch.softmax(target(tokens).logits[0, start - 1 : -1].float(), -1)
        q = torch.softmax(draft(tokens).logits[0, start - 1 : -1].float(), -1)
        total += float(torch.minimum(p, q).sum())
        count += p.shape[0]
    return total / max(1, count)
