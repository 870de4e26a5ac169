"""The draft begins as the target's first layers; its acceptance is what speculative sampling would accept."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, Qwen2ForCausalLM

from hexad.drafter.distil import acceptance_probability, first_layers
from hexad.pretraining.architecture import model_config

IDS = [[5, 6, 7, 8, 9, 10], [11, 12, 13]]
STARTS = [2, 1]


@pytest.fixture(scope="module")
def target() -> PreTrainedModel:
    torch.manual_seed(0)
    return Qwen2ForCausalLM(model_config(300, layers=3, hidden=64, pad=0, eos=1)).eval()


@pytest.fixture(scope="module")
def folder(target: PreTrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("target")
    target.save_pretrained(path)
    return path


def test_the_draft_has_the_target_s_embeddings_norm_head_and_first_layers(
    target: PreTrainedModel, folder: Path
) -> None:
    draft = first_layers(target, folder, 2)
    weights = target.state_dict()
    assert {name.split(".")[2] for name in draft.state_dict() if name.startswith("model.layers.")} == {"0", "1"}
    assert all(torch.equal(weight, weights[name]) for name, weight in draft.state_dict().items())


def test_the_draft_is_smaller_and_the_target_untouched(target: PreTrainedModel, folder: Path) -> None:
    before = {name: weight.clone() for name, weight in target.state_dict().items()}
    draft = first_layers(target, folder, 1)
    assert draft.num_parameters() < target.num_parameters()
    with torch.no_grad():
        for weight in draft.parameters():
            weight.zero_()
    assert all(torch.equal(weight, before[name]) for name, weight in target.state_dict().items())


def test_more_layers_than_the_target_has_is_the_target(target: PreTrainedModel, folder: Path) -> None:
    assert first_layers(target, folder, 9).config.num_hidden_layers == 3


def test_a_saved_draft_is_loaded_with_its_own_number_of_layers(
    target: PreTrainedModel, folder: Path, tmp_path: Path
) -> None:
    first_layers(target, folder, 1).save_pretrained(tmp_path)
    assert len(Qwen2ForCausalLM.from_pretrained(tmp_path).model.layers) == 1


def test_a_draft_equal_to_its_target_is_always_accepted(target: PreTrainedModel) -> None:
    assert acceptance_probability(target, target, IDS, STARTS) == pytest.approx(1.0, abs=1e-5)


def test_acceptance_is_the_overlap_of_both_distributions_over_response_tokens_only(
    target: PreTrainedModel, folder: Path
) -> None:
    draft = first_layers(target, folder, 1).eval()
    overlaps = []
    with torch.no_grad():
        for row, start in zip(IDS, STARTS, strict=True):
            for position in range(start, len(row)):
                context = torch.tensor([row[:position]])
                p, q = (torch.softmax(model(context).logits[0, -1], -1) for model in (target, draft))
                overlaps.append(float(torch.minimum(p, q).sum()))
    assert len(overlaps) == 6
    assert acceptance_probability(target, draft, IDS, STARTS) == pytest.approx(sum(overlaps) / 6, abs=1e-4)
    assert 0 < acceptance_probability(target, draft, IDS, STARTS) < 1


def test_nothing_held_out_is_no_acceptance(target: PreTrainedModel) -> None:
    assert acceptance_probability(target, target, [], []) == 0.0
