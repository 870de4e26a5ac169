"""The small Qwen2 that the quickstart and the tiny recipe use."""

from transformers import Qwen2Config


def model_config(vocab_size: int, layers: int, hidden: int, pad: int, eos: int) -> Qwen2Config:
    """A decoder with tied embeddings, heads of 32, and half as many key-value heads."""
    return Qwen2Config(
        vocab_size=vocab_size,
        hidden_size=hidden,
        intermediate_size=max(64, hidden * 8 // 3 // 64 * 64),
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=hidden // 64,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        rope_theta=10000.0,
        pad_token_id=pad,
        eos_token_id=eos,
        bos_token_id=None,
    )
