"""What the verifier is asked to predict, token by token."""

import torch

from hexad.verifier.train import collate

ROWS = [
    {"input_ids": [5, 6, 7, 8], "response_tokens": 2, "right": 1.0},
    {"input_ids": [5, 6], "response_tokens": 1, "right": 0.0},
    {"input_ids": [7, 8, 9], "response_tokens": 9, "right": 1.0},
]


def test_every_token_of_the_response_has_the_verdict_of_the_whole() -> None:
    targets = collate(ROWS, pad=0)["targets"]
    assert targets[0].nan_to_num(-1).tolist() == [-1, -1, 1, 1]
    assert targets[1].nan_to_num(-1).tolist() == [-1, 0, -1, -1]


def test_a_response_that_lost_its_beginning_counts_from_the_first_token() -> None:
    assert collate(ROWS, pad=0)["targets"][2].nan_to_num(-1).tolist() == [1, 1, 1, -1]


def test_rows_are_padded_on_the_right_and_the_padding_is_masked() -> None:
    batch = collate(ROWS, pad=0)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 6, 0, 0], [7, 8, 9, 0]]
    assert torch.equal(batch["attention_mask"], (batch["input_ids"] != 0).long())
