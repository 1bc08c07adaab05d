"""How good drafts and their critic are, by sets that neither has seen and by contexts made to break them. Writes docs/drafts_card.md.

measured(folder, size, processes, cpu, told) -> Measured   every figure with its gate and how it was found
"""

from service.evaluation.card import CARD, SETS, Measured, measured, write
from service.evaluation.size import FULL, QUICK, Size

__all__ = ["CARD", "FULL", "QUICK", "SETS", "Measured", "Size", "measured", "write"]
