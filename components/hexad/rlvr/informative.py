"""GRPO that computes no gradient for rollouts whose advantage is zero.

Where all rollouts of a group are right, or all wrong, every advantage is zero and so is the loss: their forward and
backward pass, often a third of a step and more, change nothing. With the `dapo` loss, whose normaliser is the token
count of the whole batch, and without a KL term, leaving them out gives the same gradient.
"""

from importlib import import_module
from typing import Any

import torch

# TRL imports vLLM wherever it is installed, ten seconds for nothing: rollouts are drawn with transformers here.
setattr(import_module("trl.import_utils"), "is_vllm_available", lambda min_version=None: False)  # noqa: B010

from trl import GRPOTrainer  # noqa: E402 - after that


class InformativeGRPOTrainer(GRPOTrainer):
    """TRL's trainer; metrics of the loss (entropy, clip ratio) are those of the rollouts that are computed."""

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        if self.loss_type == "dapo" and self.beta == 0:
            inputs = informative(inputs)
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        return loss


def informative(inputs: dict[str, Any]) -> dict[str, Any]:
    """The rows of a batch with an advantage other than zero, or the first row where there is none.

    `inputs`: TRL's batch: advantages [B], tensors [B, …], which are cut alike, and scalars, which are kept.
    """
    advantages = inputs["advantages"]
    kept = (advantages != 0).reshape(len(advantages), -1).any(dim=1)
    if not kept.any():
        kept[0] = True  # a loss of zero, but one that has a graph
    return {
        name: value[kept] if isinstance(value, torch.Tensor) and value.shape[:1] == kept.shape else value
        for name, value in inputs.items()
    }
