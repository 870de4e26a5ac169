"""How each cell is asked: which model name on the gateway, or which model directly."""

ALIASES = {"rlvr": ":bo1", "rlvr+plan": ":plan", "rlvr+bo3": ":bo3", "rlvr+plan+bo3": ":plan+bo3"}


def alias_of(cell: str) -> str:
    """Suffix of the gateway's model name for a served cell, speculative or not."""
    return ALIASES[cell.removesuffix("+spec")]
