"""What the training stages share: threads, checkpoints that are whole, progress, curves."""

from hexad.training.checkpoints import SealCheckpoints, last_sealed
from hexad.training.curves import Curve, curve_rows
from hexad.training.environment import prepare

__all__ = ["Curve", "SealCheckpoints", "curve_rows", "last_sealed", "prepare"]
