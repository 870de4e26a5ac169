"""From likelihood to the probability of being right: the verifier's trained part, a logistic regression."""

from typing import Self

import numpy as np
import torch
from pydantic import Field

from hexad.records import Record

FILE = "verifier.json"
"""Beside the policy's weights, in the folder of the verifier's model."""

_RIDGE = 1e-4
"""Penalty on the squared weights of standardised features, beside the mean loss: separable rollouts have no other
minimum."""


class Head(Record):
    """P(right) = sigmoid(bias + mean * mean log-probability + total * summed log-probability)."""

    bias: float = Field(description="Log-odds where both log-probabilities are 0.")
    mean: float = Field(description="Weight of the mean log-probability of a response's tokens, nats per token.")
    total: float = Field(description="Weight of their sum, nats.")
    max_tokens: int = Field(gt=0, description="Tokens of question and response, from the end, that it was fitted on.")

    @classmethod
    def fitted(cls, features: np.ndarray, right: np.ndarray, max_tokens: int) -> Self:
        """Maximum likelihood, with a ridge, of `right` [N] (1 or 0) given `features` [N, 2]."""
        centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
        standard = torch.tensor((features - centre) / scale, dtype=torch.float64)
        wanted = torch.tensor(right, dtype=torch.float64)
        bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([bias, weights], max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            optimizer.zero_grad()
            likely = torch.nn.functional.binary_cross_entropy_with_logits(bias + standard @ weights, wanted)
            value = likely + _RIDGE * weights.square().sum()
            value.backward()
            return value

        optimizer.step(loss)
        mean, total = (weights.detach().numpy() / scale).tolist()
        return cls(
            bias=bias.item() - mean * centre[0] - total * centre[1], mean=mean, total=total, max_tokens=max_tokens
        )

    def probability(self, features: np.ndarray) -> np.ndarray:
        """[N] from [N, 2], 0..1."""
        logits = self.bias + features @ np.array([self.mean, self.total])
        # exp overflows beyond 709; such a response is certain anyway.
        found: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -700, 700)))
        return found
