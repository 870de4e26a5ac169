"""Generate in this process with transformers: no server, any model, small batches."""

from collections.abc import Sequence

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from hexad.chat import prompt_text
from hexad.engines.base import Completion, Sampling
from hexad.records import Message


class TransformersEngine:
    """Batched `generate` with left padding. Seeded per call, not per sample."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch: int = 64) -> None:
        self._model, self._tokenizer, self._batch = model, tokenizer, batch

    @classmethod
    def load(cls, folder: str, batch: int = 64) -> "TransformersEngine":
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        return cls(model.eval(), AutoTokenizer.from_pretrained(folder), batch)

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[list[Completion]]:
        torch.manual_seed(sampling.seed)
        texts = [prompt_text(c) for c in conversations for _ in range(sampling.n)]
        # Prompts of like length share a batch, since a batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: dict[int, Completion] = {}
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            found.update(zip(chosen, self._batch_of([texts[i] for i in chosen], sampling), strict=True))
        flat = [found[i] for i in range(len(texts))]
        return [flat[i : i + sampling.n] for i in range(0, len(flat), sampling.n)]

    def _batch_of(self, texts: list[str], sampling: Sampling) -> list[Completion]:
        encoded = self._tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        encoded.pop("token_type_ids", None)
        greedy = sampling.temperature == 0
        settings = (
            {"do_sample": False}
            if greedy
            else {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        )
        with torch.no_grad():
            ids = self._model.generate(
                **encoded.to(self._model.device),
                max_new_tokens=sampling.max_tokens,
                pad_token_id=self._tokenizer.pad_token_id,
                eos_token_id=self._tokenizer.eos_token_id,
                **settings,
            )
        return [self._completion(row) for row in ids[:, encoded["input_ids"].shape[1] :].tolist()]

    def _completion(self, ids: list[int]) -> Completion:
        end = self._tokenizer.eos_token_id
        stopped = end in ids
        kept = ids[: ids.index(end)] if stopped else ids
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        return Completion(text=text, tokens=len(kept) + stopped, finish_reason="stop" if stopped else "length")
