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

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LIMIT = 500_000  # chunks remembered, about 100 MB; then it begins anew, so memory stays flat

_CUT = re.compile(r"(?<=\S)(?= \S)")
_EXPRESSIONS = {
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


class CachedEncoder:
    """Encodes as `tokenizer(texts, add_special_tokens=False)["input_ids"]`, with no truncation or padding."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self.cuts = _cuts_at_spaces(json.loads(self._backend.to_str()))
        self._known: dict[str, list[int]] = {}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not self.cuts:
            return self._direct(list(texts))
        chunked = [_CUT.split(text) for text in texts]
        if len(self._known) > LIMIT:
            self._known.clear()
        known = self._known
        new = list(dict.fromkeys(chunk for chunks in chunked for chunk in chunks if chunk not in known))
        known.update(zip(new, self._direct(new), strict=True))
        rows: list[list[int]] = []
        for chunks in chunked:
            ids: list[int] = []
            for chunk in chunks:
                ids += known[chunk]
            rows.append(ids)
        return rows

    def _direct(self, texts: list[str]) -> list[list[int]]:
        return [found.ids for found in self._backend.encode_batch_fast(texts, add_special_tokens=False)]


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
