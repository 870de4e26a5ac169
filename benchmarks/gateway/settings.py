"""What every contestant gets: the same N, and the same patience."""

N = 3
DEADLINE_S = 3.0
"""Seconds after which those that have a deadline answer with the best so far."""
PATIENCE_S = 6.0
"""Seconds that a client waits for an answer."""

ENGINE_MODELS = {
    "hexad bo3": "hexad-majority",
    "hexad bo3, adaptive": "hexad-adaptive",
    "hexad bo3, verifier": "hexad-verifier",
    "hexad plan+bo3": "hexad-plan",
    "optillm bon": "optillm-best-of-n",
    "optillm self_consistency": "optillm-consistency",
    "its_hub best of n": "its-best-of-n",
    "its_hub self-consistency": "its-consistency",
    "original's behaviour": "original",
}
"""Contestant to the model name that it asks the engine for, by which the engine counts."""
