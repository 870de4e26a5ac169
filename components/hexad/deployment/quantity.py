"""Kubernetes' quantities: '8', '500m', '64Gi', '1e3'."""

import re
from decimal import Decimal

_UNITS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)} | {
    unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)
}
_BINARY = {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([A-Za-z]*))")


def quantity(text: str) -> Decimal:
    """The number that a quantity stands for. Raises ValueError for what is none.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    match = _QUANTITY.fullmatch(text.strip())
    unit = (_UNITS | _BINARY).get(match[3] or "") if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r}: is no Kubernetes quantity; write e.g. 8, 500m or 64Gi")
    return Decimal(match[1]) * unit * Decimal(10) ** int(match[2] or 0)
