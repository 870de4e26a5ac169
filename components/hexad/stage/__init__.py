"""What every box shares: its context, running once, progress."""

from hexad.stage.card import figures_card
from hexad.stage.context import Context
from hexad.stage.execute import Product, StageResult, Workspace, execute
from hexad.stage.progress import Progress

__all__ = ["Context", "Product", "Progress", "StageResult", "Workspace", "execute", "figures_card"]
