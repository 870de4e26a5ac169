"""Pre-train the quickstart's base model: `python -m hexad.pretraining.train --out models/quickstart-base`.

A Qwen2 decoder of about 1.8 M parameters, next-token loss on packed documents, AdamW with cosine decay. Seeded: the
same machine and thread count give the same weights.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from transformers import Qwen2ForCausalLM

from hexad.pretraining.architecture import model_config
from hexad.pretraining.corpus import documents
from hexad.pretraining.tokenizer import train_tokenizer

CONTEXT, TOKENIZER_DOCUMENTS = 512, 20_000


def packed(texts: Iterator[str], encode: Callable[[str], list[int]], batch: int) -> Iterator[torch.Tensor]:
    """Batches [batch, CONTEXT] of token ids, documents back to back."""
    pool: list[int] = []
    for text in texts:
        pool += encode(text)
        if len(pool) >= batch * CONTEXT:
            yield torch.tensor(pool[: batch * CONTEXT]).view(batch, CONTEXT)
            pool = pool[batch * CONTEXT :]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=8, help="packed rows of 512 tokens per step")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--vocab", type=int, default=768)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    tokenizer = train_tokenizer(itertools.islice(documents(arguments.seed), TOKENIZER_DOCUMENTS), arguments.vocab)
    config = model_config(
        len(tokenizer), arguments.layers, arguments.hidden, tokenizer.pad_token_id, tokenizer.eos_token_id
    )
    model = Qwen2ForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.lr, betas=(0.9, 0.95), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.lr, total_steps=arguments.steps, pct_start=0.05)
    encode = lambda text: [*tokenizer.encode(text, add_special_tokens=False), tokenizer.pad_token_id]  # noqa: E731
    started, loss_sum = time.time(), 0.0
    batches = packed(documents(arguments.seed + 1), encode, arguments.batch)
    for step, batch in enumerate(itertools.islice(batches, arguments.steps), 1):
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        loss_sum += loss.item()
        if step % 50 == 0:
            rate = step * batch.numel() / (time.time() - started)
            sys.stderr.write(f"step {step}/{arguments.steps} loss {loss_sum / 50:.3f} {rate:.0f} tokens/s\n")
            loss_sum = 0.0
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(arguments.out)
    tokenizer.save_pretrained(arguments.out)
    parameters = sum(p.numel() for p in model.parameters())
    facts = {
        "parameters": parameters,
        "vocab": len(tokenizer),
        "steps": arguments.steps,
        "seed": arguments.seed,
        "tokens": arguments.steps * arguments.batch * CONTEXT,
        "seconds": round(time.time() - started),
    }
    (arguments.out / "training.json").write_text(json.dumps(facts, indent=1))
    sys.stderr.write(f"{facts}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
