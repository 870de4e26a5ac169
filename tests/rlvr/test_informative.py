"""Leaving out rollouts without an advantage changes the time of a step, not its gradient."""

import torch
from datasets import Dataset
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
from trl import GRPOConfig, GRPOTrainer

from hexad.rlvr.informative import InformativeGRPOTrainer, informative

BASE = "models/quickstart-base"


def batch() -> dict:
    rng = torch.Generator().manual_seed(0)
    mask = torch.ones(6, 5, dtype=torch.long)
    mask[1, 3:] = 0
    return {
        "prompt_ids": torch.randint(3, 50, (6, 4), generator=rng),
        "prompt_mask": torch.ones(6, 4, dtype=torch.long),
        "completion_ids": torch.randint(3, 50, (6, 5), generator=rng),
        "completion_mask": mask,
        "advantages": torch.tensor([0.5, -0.5, 0.0, 0.0, 1.0, -1.0]),
        "num_items_in_batch": mask.sum(),
    }


def gradient(kind: type[GRPOTrainer], tmp_path) -> torch.Tensor:
    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=768, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=2)  # fmt: skip
    arguments = GRPOConfig(
        output_dir=str(tmp_path), loss_type="dapo", beta=0.0, use_cpu=True, bf16=False, report_to=[],
        num_generations=2, per_device_train_batch_size=2, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = kind(
        model=Qwen2ForCausalLM(config), args=arguments, reward_funcs=lambda **_: [0.0, 0.0],
        train_dataset=Dataset.from_dict({"prompt": ["a"]}), processing_class=AutoTokenizer.from_pretrained(BASE),
    )  # fmt: skip
    trainer.current_gradient_accumulation_steps = 1
    trainer._compute_loss(trainer.model, batch()).backward()
    return torch.cat([p.grad.flatten() for p in trainer.model.parameters()])


def test_the_gradient_is_that_of_the_whole_batch(tmp_path) -> None:
    whole = gradient(GRPOTrainer, tmp_path)
    assert whole.abs().max() > 1e-4
    torch.testing.assert_close(gradient(InformativeGRPOTrainer, tmp_path), whole, rtol=1e-4, atol=1e-7)


def test_rows_are_cut_alike_and_scalars_are_kept() -> None:
    rows = batch()
    cut = informative(rows)
    assert {len(cut[name]) for name in rows if rows[name].dim()} == {4}
    assert cut["num_items_in_batch"] == rows["num_items_in_batch"]
    assert cut["completion_ids"].tolist() == rows["completion_ids"][[0, 1, 4, 5]].tolist()


def test_a_batch_without_any_advantage_keeps_one_row() -> None:
    assert len(informative(batch() | {"advantages": torch.zeros(6)})["prompt_ids"]) == 1
