"""How numbers are written for people."""

import math

NBSP = "\u00a0"
CI95 = f"95{NBSP}% interval"


def percent(share: float) -> str:
    return f"{100 * share:.1f}{NBSP}%" if math.isfinite(share) else "–"


def interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}"


def points(delta: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * delta:+.1f}".replace("-", "−")


def signed_interval(low: float, high: float) -> str:
    return f"{points(low)} to {points(high)}"


def p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return f"<{NBSP}0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_phrase(p: float) -> str:
    written = p_value(p)
    return f"p{NBSP}{written}" if written.startswith("<") else f"p{NBSP}={NBSP}{written}"


def number(value: float) -> str:
    """Plain number: thousands apart, three significant digits below 100."""
    if not math.isfinite(value):
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


CELL_NAMES = {
    "base": "base", "sft": "SFT", "rlvr": "RLVR", "rlvr+plan": "+ plan", "rlvr+bo3": "+ best of 3",
    "rlvr+plan+bo3": "+ plan + best of 3",
}  # fmt: skip


def cell_name(cell: str) -> str:
    """A cell's name in words; an unknown one keeps its own."""
    plain = cell.removesuffix("+spec")
    name = CELL_NAMES.get(plain, plain)
    return name if plain == cell else f"{name}, speculative"


def cell_class(cell: str) -> str:
    """CSS class of a cell's colour."""
    plain = cell.removesuffix("+spec")
    return plain if plain in ("base", "sft", "rlvr") else "scaffold"
