"""Ids from the cache of chunks are the tokenizer's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from hexad.curation import cached_encoding
from hexad.curation.cached_encoding import CachedEncoder
from hexad.pretraining.tokenizer import train_tokenizer

CORPUS = ["what is 12 + 2? it's 14, isn't it\n\n  def f(x):\n    return x", "one and two are three\n"] * 3
TEXTS = st.lists(
    st.text(st.sampled_from(" \n\t\r  ab1'sé́中.,+<>|_") | st.characters(exclude_categories=["Cs"]), max_size=40),
    max_size=4,
)


def _with(step: pre_tokenizers.PreTokenizer) -> PreTrainedTokenizerFast:
    trained = train_tokenizer(CORPUS, 320).backend_tokenizer
    bare = Tokenizer.from_str(trained.to_str())
    bare.pre_tokenizer = step
    bare.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=bare)


def _split(expression: str) -> pre_tokenizers.PreTokenizer:
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"), by_bytes])


TOKENIZERS = {
    "ours": train_tokenizer(CORPUS, 320),
    "GPT-2's": _with(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    **{
        f"expression {n}": _with(_split(expression))
        for n, expression in enumerate(sorted(cached_encoding._EXPRESSIONS))
    },
}


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(texts=TEXTS)
def test_ids_are_those_of_the_tokenizer(name: str, texts: list[str]) -> None:
    tokenizer = TOKENIZERS[name]
    encoder = CachedEncoder(tokenizer)
    texts = [
        *texts,
        "",
        "plain words with single spaces 12 + 2",
        "<|im_start|>user\nwhat is  1 + 2<|im_end|>\n<think> a </think> <answer>3</answer>",
    ]
    assert encoder.cuts
    assert [ids.tolist() for ids in encoder.encode(texts)] == [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts
    ]


@pytest.mark.parametrize(
    "step",
    [
        pre_tokenizers.Metaspace(),
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        _split(r"\w+ \w+|."),
    ],
    ids=["metaspace", "prefix space", "no expression", "an unknown expression"],
)
def test_a_tokenizer_of_another_make_is_used_as_it_is(step: pre_tokenizers.PreTokenizer) -> None:
    tokenizer = _with(step)
    encoder = CachedEncoder(tokenizer)
    text = "what is  12 + 2?\n one"
    assert not encoder.cuts
    assert [ids.tolist() for ids in encoder.encode([text])] == [tokenizer(text, add_special_tokens=False)["input_ids"]]


def test_a_full_cache_begins_anew_and_changes_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_encoding, "LIMIT", 3)
    encoder = CachedEncoder(TOKENIZERS["ours"])
    texts = [f"word {n} of many words" for n in range(20)]
    one_by_one = [encoder.encode([text])[0].tolist() for text in texts]
    assert one_by_one == TOKENIZERS["ours"](texts, add_special_tokens=False)["input_ids"]
