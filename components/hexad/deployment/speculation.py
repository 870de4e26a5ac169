"""Whether an engine would take a bundle's speculation, and whether the bundle may use it: checked before any start.

The rules are those of vLLM 0.32: vllm/config/speculative.py (`__post_init__`, `_verify_args`,
`verify_equal_vocab_size_if_draft_model`) and vllm/v1/sample/rejection_sampler.py (`MAX_SPEC_LEN`).
"""

import hashlib
import json
from pathlib import Path

from pydantic import Field

from hexad.deployment.bundle import DRAFT, TARGET
from hexad.records import Bundle, Record

MAX_TOKENS = 128
"""vLLM's rejection sampler asserts no more proposed tokens a step than this."""

SERVED = ("draft_model", "ngram")
"""Methods for which a bundle carries all that the engine needs."""

ENGINE_METHODS = frozenset({
    "ngram", "ngram_gpu", "medusa", "mlp_speculator", "draft_model", "suffix", "custom_class", "eagle", "eagle3",
    "extract_hidden_states", "mtp", "dflash", "dspark",
})  # fmt: skip
"""`SpeculativeMethod` of vLLM 0.32, without the deprecated names of mtp."""

_AGAIN = "run the serve stage again"


class ModelFacts(Record):
    """What speculation depends on in a model's folder."""

    vocab_size: int = Field(description="Rows of the embedding, `vocab_size` of config.json.")
    positions: int | None = Field(None, description="Longest sequence; None where the config says none or scales it.")
    tokenizer: str | None = Field(None, description="Digest of token texts and ids; None without tokenizer.json.")


def model_facts(folder: Path) -> ModelFacts | None:
    """Read a model's folder; None where there is no config.json. Raises ValueError that names the file."""
    file = folder / "config.json"
    if not file.is_file():
        return None
    try:
        config = json.loads(file.read_bytes())
        text = config.get("text_config", config)
        scaling = text.get("rope_parameters") or text.get("rope_scaling") or {}
        scaled = scaling.get("rope_type", scaling.get("type", "default")) != "default"
        return ModelFacts(
            vocab_size=text["vocab_size"],
            positions=None if scaled else text.get("max_position_embeddings"),
            tokenizer=_tokenizer(folder / "tokenizer.json"),
        )
    except (KeyError, ValueError, AttributeError) as error:
        raise ValueError(f"{file}: not a model's config ({type(error).__name__}: {error}); {_AGAIN}") from error


def _tokenizer(file: Path) -> str | None:
    if not file.is_file():
        return None
    tokenizer = json.loads(file.read_bytes())
    added = sorted((token["id"], token["content"]) for token in tokenizer.get("added_tokens") or [])
    content = json.dumps([tokenizer["model"].get("vocab"), added], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def bundle_problems(bundle: Bundle, folder: Path) -> list[str]:
    """`speculation_problems` of a bundle whose trees lie in `folder`."""
    try:
        return speculation_problems(bundle, model_facts(folder / TARGET), model_facts(folder / DRAFT))
    except ValueError as error:
        return [str(error)]


def speculation_problems(
    bundle: Bundle, target_config: ModelFacts | None, draft_config: ModelFacts | None
) -> list[str]:
    """Why the engine would not start with the bundle, or must not speculate; each names field, value and mend."""
    if target_config is None:
        return [f"target: the bundle holds no target/config.json; {_AGAIN}"]
    found = []
    length, configured = bundle.max_model_len, bundle.engine.get("max_model_len", bundle.max_model_len)
    if configured != length:
        found.append(f"max_model_len: is {length}, but engine.max_model_len is {configured}; make them equal")
    if target_config.positions is not None and length > target_config.positions:
        found.append(
            f"max_model_len: {length} is more than the target's {target_config.positions} positions; lower "
            "serve.engine.max_model_len"
        )
    wanted = bundle.speculation
    if wanted is None:
        return found
    if not wanted.lossless:
        found.append(
            f"speculation.lossless: false, so {wanted.method} may change answers; {_AGAIN}, whose paired test proves "
            "it, or set serve.speculation.method to none"
        )
    if wanted.method not in SERVED:
        known = "needs what no bundle carries" if wanted.method in ENGINE_METHODS else "is not a method of vLLM 0.32"
        found.append(f"speculation.method: {wanted.method!r} {known}; use {' or '.join(SERVED)}")
    most = min(MAX_TOKENS, length - 1)
    if wanted.num_speculative_tokens > most:
        found.append(
            f"speculation.num_speculative_tokens: {wanted.num_speculative_tokens} is more than {most}, the most that "
            f"the engine takes with max_model_len {length}; lower it, 3 to 5 is usual"
        )
    if wanted.method == "draft_model":
        found += _draft_problems(bundle, target_config, draft_config)
    return found


def _draft_problems(bundle: Bundle, target: ModelFacts, draft: ModelFacts | None) -> list[str]:
    if bundle.draft is None or draft is None:
        missing = "bundle.json names none" if bundle.draft is None else "there is no draft/config.json"
        return [f"draft: method draft_model needs one, and {missing}; {_AGAIN} with a drafter, or use ngram"]
    if target.vocab_size != draft.vocab_size:
        return [
            f"draft: vocab_size {draft.vocab_size}, the target's is {target.vocab_size}; pad the draft's embedding "
            "to the target's size, or train the drafter from this target"
        ]
    if target.tokenizer != draft.tokenizer:
        return ["draft: its tokenizer gives other ids than the target's; train the drafter from this target"]
    return []
