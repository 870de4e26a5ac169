"""Engines that generate text: transformers, vLLM, any OpenAI-compatible endpoint."""

from hexad.engines.base import Completion, Engine, Sampling

__all__ = ["Completion", "Engine", "Sampling"]
