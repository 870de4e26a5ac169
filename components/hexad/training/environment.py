"""Process settings that every training stage needs before it builds a trainer."""

import os

import transformers


def prepare(seed: int) -> None:
    """Seed everything; no telemetry; no spinning threads, which hurt on few shared cores."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers.set_seed(seed)
    transformers.utils.logging.disable_progress_bar()
