"""Score responses with a trained verifier."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.records import Message


def encode(
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Sequence[Message]],
    responses: Sequence[str],
    max_tokens: int,
) -> list[list[int]]:
    """Token ids of question and response. What is too long loses its beginning: the answer stands at the end."""
    texts = [prompt_text(q) + r + END_OF_TURN for q, r in zip(questions, responses, strict=True)]
    return [list(ids)[-max_tokens:] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


class Scorer:
    """Probability that a response is right, 0..1, for (question, response) pairs."""

    def __init__(self, folder: Path | str, max_tokens: int = 1024, batch: int = 64) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
        self._max_tokens, self._batch = max_tokens, batch

    @torch.no_grad()
    def score(self, questions: Sequence[Sequence[Message]], responses: Sequence[str]) -> list[float]:
        rows = encode(self._tokenizer, questions, responses, self._max_tokens)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        scores = [0.0] * len(rows)
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            padded = self._tokenizer.pad(
                {"input_ids": [rows[i] for i in chosen]}, return_tensors="pt", padding_side="right"
            )
            logits = self._model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).logits[:, 0]
            for i, value in zip(chosen, torch.sigmoid(logits).tolist(), strict=True):
                scores[i] = value
        return scores
