r"""Token ids from a cache of words: the same ids as the tokenizer's own, several times as fast.

A byte-level BPE tokenizer cuts text into pieces by a regular expression and merges inside of each piece alone. The
expressions of GPT-2, Qwen and Llama 3 always cut before a single space between two other characters. So text may be cut
there beforehand, and each distinct chunk be encoded once: natural text consists of few of them. A tokenizer of another
make is used as it is.
"""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LIMIT = 200_000  # chunks remembered, about 40 MB; then it begins anew, so memory stays flat

Ids = npt.NDArray[np.int32]

_CUT = re.compile(r"(?<=\S)(?= \S)")
# In a text of ASCII with none of these inside, and no space at its ends, every space is a cut.
_ODD = [pair for blank in " \t\n\r\v\f\x1c\x1d\x1e\x1f" for pair in (f" {blank}", f"{blank} ")]
_EXPRESSIONS = {
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


class CachedEncoder:
    """Encodes as `tokenizer(texts, add_special_tokens=False)["input_ids"]`, with no truncation or padding."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self.cuts = _cuts_at_spaces(json.loads(self._backend.to_str()))
        self._known: dict[str, bytes] = {}  # a chunk without the space before it, to the ids of both

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, int32."""
        if not self.cuts:
            return [np.frombuffer(found, np.int32) for found in self._direct(list(texts))]
        if len(self._known) > LIMIT:
            self._known.clear()
        heads, tails = zip(*map(_chunks, texts), strict=True) if texts else ((), ())
        new = list(set().union(*tails).difference(self._known))
        self._known.update(zip(new, self._direct([f" {chunk}" for chunk in new]), strict=True))
        known = self._known.__getitem__
        return [
            np.frombuffer(b"".join((head, *map(known, tail))), np.int32)
            for head, tail in zip(self._direct(list(heads)), tails, strict=True)
        ]

    def _direct(self, texts: list[str]) -> list[bytes]:
        found = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(one.ids, np.int32).tobytes() for one in found]


def _chunks(text: str) -> tuple[str, list[str]]:
    """The text before the first cut, and the chunks after it without the space that each begins with."""
    if not text.isascii() or text[:1] == " " or text[-1:] == " " or any(pair in text for pair in _ODD):
        head, *tail = _CUT.split(text)
        return head, [chunk[1:] for chunk in tail]
    head, *tail = text.split(" ")
    return head, tail


def _cuts_at_spaces(parts: dict[str, Any]) -> bool:
    """Whether the tokenizer is one whose pieces never cross a single space between two other characters."""
    before = parts["pre_tokenizer"] or {}
    steps = before.get("pretokenizers", [before])
    normalizer = parts["normalizer"] or {"type": "NFC"}
    return (
        parts["model"]["type"] == "BPE"
        and normalizer["type"] == "NFC"
        and any(step.get("use_regex") or step.get("type") == "Split" for step in steps)
        and all(_is_known(step) for step in steps)
        and not any(_reaches_out(token) for token in parts["added_tokens"])
    )


def _is_known(step: dict[str, Any]) -> bool:
    if step.get("type") == "ByteLevel":
        return not step["add_prefix_space"]
    if step.get("type") == "Split":
        return step["pattern"].get("Regex") in _EXPRESSIONS and step["behavior"] == "Isolated" and not step["invert"]
    return step.get("type") == "Digits"


def _reaches_out(token: dict[str, Any]) -> bool:
    """An added token that holds a space, or looks at the characters around it."""
    return " " in token["content"] or token["lstrip"] or token["rstrip"] or token["single_word"]
