"""The tokenizer: any text there and back, the same ids after save and reload, tags and digits as single tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from hexad.chat import prompt_text, render
from hexad.chat.template import END_OF_TURN
from hexad.pretraining.tokenizer import train_tokenizer
from hexad.records import Message

TAGS = ("<think>", "</think>", "<answer>", "</answer>", "<plan>", "</plan>")
TEXTS = [
    "What is 12 + 34?\n2+4+0=6 write 6 carry 0\n",
    "Ann is taller than Bob.\n\nList them.\n",
    "def f(x):\n    return",
]
ANY_TEXT = st.text()


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS, 340)


@pytest.fixture(scope="module")
def reloaded(tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerBase:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_any_text_comes_back(tokenizer: PreTrainedTokenizerFast) -> None:
    @given(ANY_TEXT)
    def there_and_back(text: str) -> None:
        assert tokenizer.decode(ids(tokenizer, text)) == text

    there_and_back()


def test_ids_are_the_same_after_save_and_reload(
    tokenizer: PreTrainedTokenizerFast, reloaded: PreTrainedTokenizerBase
) -> None:
    @given(ANY_TEXT | st.lists(st.sampled_from([*TAGS, "\n", "\n\n", " ", "12", "a", END_OF_TURN])).map("".join))
    def same(text: str) -> None:
        assert ids(reloaded, text) == ids(tokenizer, text)

    same()


@pytest.mark.parametrize("text", ["\n", "a\n", "\n\nb", " \n ", "user\nWhat?\n", "a\r\nb\t c", "  two  blanks  "])
def test_blanks_and_line_breaks_survive_save_reload_and_decoding(reloaded: PreTrainedTokenizerBase, text: str) -> None:
    assert reloaded.decode(ids(reloaded, text)) == text


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_one_token_that_decoding_keeps(reloaded: PreTrainedTokenizerBase, tag: str) -> None:
    assert len(ids(reloaded, tag)) == 1
    assert len(ids(reloaded, f"a{tag}b")) == 3
    assert reloaded.decode(ids(reloaded, f"a{tag}b"), skip_special_tokens=True) == f"a{tag}b"


def test_control_tokens_are_single_and_dropped_from_text(reloaded: PreTrainedTokenizerBase) -> None:
    rendered = prompt_text([Message(role="user", content="hello")])
    found = ids(reloaded, rendered)
    assert found.count(reloaded.convert_tokens_to_ids("<|im_start|>")) == 2
    assert found.count(reloaded.eos_token_id) == 1
    assert reloaded.decode(found, skip_special_tokens=True) == "user\nhello\nassistant\n"


def test_every_digit_is_a_token_of_its_own_however_often_a_number_was_seen() -> None:
    tokenizer = train_tokenizer(["123 123 123 456 456"] * 50, 330)
    assert [tokenizer.decode([i]) for i in ids(tokenizer, "123456")] == list("123456")


def test_the_model_ends_a_turn_and_pads_with_different_tokens(reloaded: PreTrainedTokenizerBase) -> None:
    assert reloaded.eos_token == END_OF_TURN
    assert reloaded.pad_token_id not in (None, reloaded.eos_token_id)


def test_the_pinned_template_renders_what_prompt_text_does(reloaded: PreTrainedTokenizerBase) -> None:
    turns = [Message(role="user", content="What is 1 + 1?\n"), Message(role="assistant", content=render("1+1", "2"))]
    rendered = reloaded.apply_chat_template(
        [turn.model_dump() for turn in turns], tokenize=False, add_generation_prompt=True
    )
    assert rendered == prompt_text(turns)


def test_the_vocabulary_has_the_size_asked_for_and_no_token_twice(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(tokenizer) <= 340
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))
