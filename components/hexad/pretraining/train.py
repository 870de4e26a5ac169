"""Pre-train the quickstart's base model: `python -m hexad.pretraining.train --out models/quickstart-base`.

A Qwen2 decoder of about 1.8 M parameters, next-token loss on packed text, AdamW, one learning-rate cycle a phase:
plain documents, then conversations, then loose markup. Seeded: the same machine and thread count give the same weights.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import Qwen2ForCausalLM

from hexad.pretraining.architecture import model_config
from hexad.pretraining.corpus import conversations, documents, markup
from hexad.pretraining.tokenizer import train_tokenizer

CONTEXT, BATCH = 512, 8
VOCAB, TOKENIZER_DOCUMENTS = 768, 20_000
LAYERS, HIDDEN = 4, 192


@dataclass(frozen=True)
class Phase:
    """A stretch of training with its own text and learning-rate cycle."""

    name: str
    texts: Callable[[int], Iterator[str]]
    steps: int
    learning_rate: float
    seed_offset: int


PHASES = (
    Phase("documents", documents, 1500, 3e-3, 1),
    Phase("conversations", conversations, 500, 1.5e-3, 20),
    Phase("markup", markup, 150, 1e-3, 40),
)


def packed(texts: Iterator[str], encode: Callable[[str], list[int]]) -> Iterator[torch.Tensor]:
    """Batches [BATCH, CONTEXT] of token ids, documents back to back."""
    pool: list[int] = []
    for text in texts:
        pool += encode(text)
        if len(pool) >= BATCH * CONTEXT:
            yield torch.tensor(pool[: BATCH * CONTEXT]).view(BATCH, CONTEXT)
            pool = pool[BATCH * CONTEXT :]


def run_phase(model: Qwen2ForCausalLM, phase: Phase, encode: Callable[[str], list[int]], seed: int) -> None:
    """Train `model` in place; progress goes to standard error."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=phase.learning_rate, betas=(0.9, 0.95), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, phase.learning_rate, total_steps=phase.steps, pct_start=0.05
    )
    started, loss_sum = time.time(), 0.0
    for step, batch in enumerate(itertools.islice(packed(phase.texts(seed), encode), phase.steps), 1):
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        loss_sum += loss.item()
        if step % 50 == 0:
            rate = step * batch.numel() / (time.time() - started)
            sys.stderr.write(f"{phase.name} {step}/{phase.steps} loss {loss_sum / 50:.3f} {rate:.0f} tokens/s\n")
            loss_sum = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    seed, started = arguments.seed, time.time()
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(itertools.islice(documents(seed), TOKENIZER_DOCUMENTS), VOCAB)
    shape = model_config(len(tokenizer), LAYERS, HIDDEN, tokenizer.pad_token_id, tokenizer.eos_token_id)
    model = Qwen2ForCausalLM(shape)

    def encode(text: str) -> list[int]:
        return [*tokenizer.encode(text, add_special_tokens=False), tokenizer.pad_token_id]

    for phase in PHASES:
        run_phase(model, phase, encode, seed + phase.seed_offset)
        # What is stored is bfloat16; rounding here makes a phase the same whether it follows at once or from disk.
        model.to(torch.bfloat16).to(torch.float32)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(arguments.out)
    tokenizer.save_pretrained(arguments.out)
    facts = {
        "parameters": model.num_parameters(),
        "vocab": len(tokenizer),
        "steps": {phase.name: phase.steps for phase in PHASES},
        "seed": seed,
        "tokens": sum(phase.steps for phase in PHASES) * BATCH * CONTEXT,
        "seconds": round(time.time() - started),
    }
    (arguments.out / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    sys.stderr.write(f"{facts}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
