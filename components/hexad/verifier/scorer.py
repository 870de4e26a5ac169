"""Score responses with a trained verifier."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from hexad.chat import prompt_text
from hexad.chat.template import END_OF_TURN
from hexad.records import Message

BATCH_ROWS, BATCH_TOKENS = 64, 65_536


def encode(
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Sequence[Message]],
    responses: Sequence[str],
    max_tokens: int,
) -> list[list[int]]:
    """Token ids of question and response. What is too long loses its beginning: the answer stands at the end."""
    texts = [prompt_text(q) + r + END_OF_TURN for q, r in zip(questions, responses, strict=True)]
    return [list(ids)[-max_tokens:] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows by number, the shortest first: 64 a batch at most, and 65,536 tokens with their padding unless it is one."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if len(batch) == BATCH_ROWS or (batch and (len(batch) + 1) * lengths[row] > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


class Scorer:
    """Probability that a response is right, 0..1, for (question, response) pairs.

    It reads as many tokens as the verifier was trained on: the tokenizer's `model_max_length`, which training sets.
    """

    def __init__(self, folder: Path | str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.no_grad()
    def score(self, questions: Sequence[Sequence[Message]], responses: Sequence[str]) -> list[float]:
        rows = encode(self._tokenizer, questions, responses, self._tokenizer.model_max_length)
        scores = [0.0] * len(rows)
        for chosen in batches([len(row) for row in rows]):
            padded = self._tokenizer.pad(
                {"input_ids": [rows[i] for i in chosen]}, return_tensors="pt", padding_side="right"
            )
            logits = self._model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).logits[:, 0]
            for i, value in zip(chosen, torch.sigmoid(logits).tolist(), strict=True):
                scores[i] = value
        return scores
