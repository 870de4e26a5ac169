"""One step of TRL's real trainer: the grader rewards, and every rollout is in the log as it was sampled."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from hexad.records import Gold, Message, Prompt
from hexad.rlvr.config import RlvrConfig
from hexad.rlvr.train import train

BASE = "models/quickstart-base"
CONFIG = RlvrConfig.model_validate({
    "steps": 1, "prompts_per_step": 2, "group_size": 2, "max_completion_tokens": 6, "validations": 0, "checkpoints": 0,
    "gradient_accumulation": 1,
})  # fmt: skip


def prompt(name: str) -> Prompt:
    question = [Message(role="user", content=f"{name} + 1?")]
    return Prompt(
        id=name, domain="math", source="test", revision="1", prompt=question, gold=Gold(value=2), grader="math"
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An untrained model of one small layer with the quickstart's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    config = Qwen2Config(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=2, eos_token_id=tokenizer.eos_token_id)  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_every_rollout_is_graded_and_logged_with_its_length_and_its_end(model: Path, tmp_path: Path) -> None:
    curve, rollouts = train(
        CONFIG,
        model,
        [prompt("0"), prompt("1")],
        [],
        tmp_path / "out",
        tmp_path / "scratch",
        0,
        lambda done, note: None,
    )
    assert sorted((r.prompt_id, r.sample) for r in rollouts) == [("0", 0), ("0", 1), ("1", 0), ("1", 1)]
    for rollout in rollouts:
        assert 0 < rollout.tokens <= 6
        assert rollout.tokens == 6 or rollout.finish_reason == "stop"
        assert rollout.verdict.score == 0.0
    assert [row["reward"] for row in curve] == [0.0]
    assert (tmp_path / "out" / "config.json").is_file()
