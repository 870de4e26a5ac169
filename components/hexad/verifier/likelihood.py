"""How likely a policy finds a response: what tells right from wrong among its own samples.

Many wrong samples are slips: somewhere a token was drawn that the policy itself thought unlikely. Its log-probabilities
show that, without a second model to train. Compare Kadavath et al. 2022, arXiv 2207.05221 (models know what they
know), and Kang et al. 2025, arXiv 2502.18581 (best of N by the model's own certainty).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.records import Message
from hexad.verifier.config import BATCH_ROWS, BATCH_TOKENS

_POSITIONS = 1024
"""Positions whose logits are held at a time: those of a long batch with a large vocabulary fit in no memory."""

Pair = tuple[Sequence[Message], str]
"""Question and response."""


def fastest_device() -> str:
    """The accelerator, where this process has one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class Policy:
    """A causal language model that says how likely it finds responses."""

    def __init__(self, folder: Path | str, max_tokens: int, device: str = "cpu") -> None:
        """`max_tokens`: of question and response together; what is longer loses its beginning."""
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval().to(device)
        self._max_tokens, self._device = max_tokens, device

    @torch.no_grad()
    def features(
        self, pairs: Sequence[Pair], report: Callable[[float, str], None] = lambda fraction, note: None
    ) -> np.ndarray:
        """[N, 2]: mean and sum of the log-probabilities of each response's tokens, its end of turn among them."""
        rows = [self._encode(question, response) for question, response in pairs]
        found = np.zeros((len(rows), 2))
        done = 0
        for chosen in batches([len(ids) for ids, _ in rows]):
            for i, logs in zip(chosen, self._log_probabilities([rows[i] for i in chosen]), strict=True):
                found[i] = float(logs.mean()), float(logs.sum())
            done += len(chosen)
            report(done / len(rows), f"{done}/{len(rows)} rollouts")
        return found

    def _encode(self, question: Sequence[Message], response: str) -> tuple[list[int], int]:
        """Token ids of both, and how many of them at the end are the response's: at least one, and never the first."""
        asked = prompt_text(question)
        before, ids = self._tokenizer([asked, asked + response + END_OF_TURN], add_special_tokens=False)["input_ids"]
        kept = list(ids)[-self._max_tokens :]
        return kept, max(1, min(len(ids) - len(before), len(kept) - 1))

    def _log_probabilities(self, rows: Sequence[tuple[list[int], int]]) -> Iterator[torch.Tensor]:
        """Of each row's response tokens."""
        padded = self._tokenizer.pad(
            {"input_ids": [ids for ids, _ in rows]}, return_tensors="pt", padding_side="right"
        ).to(self._device)
        hidden = self._model.base_model(
            input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]
        ).last_hidden_state
        # The state at one position predicts the token at the next.
        spans = [(len(ids) - count, len(ids)) for ids, count in rows]
        states = torch.cat([hidden[i, first - 1 : end - 1] for i, (first, end) in enumerate(spans)])
        targets = torch.cat([padded["input_ids"][i, first:end] for i, (first, end) in enumerate(spans)])
        head = self._model.get_output_embeddings()
        logs = [
            -torch.nn.functional.cross_entropy(head(some).float(), wanted, reduction="none")
            for some, wanted in zip(states.split(_POSITIONS), targets.split(_POSITIONS), strict=True)
        ]
        yield from torch.cat(logs).split([count for _, count in rows])


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows by number, the shortest first, in batches of BATCH_ROWS and BATCH_TOKENS at most, or one longer row."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if len(batch) == BATCH_ROWS or (batch and (len(batch) + 1) * lengths[row] > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
