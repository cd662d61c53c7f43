"""Against overfitting: penalties on weights, dropout, early stopping: `import regularize`."""

from regularize.dropout import HIDDEN_KEEP, VISIBLE_KEEP, Dropout
from regularize.early_stopping import EarlyStopping
from regularize.penalty import L1, L2, Penalty

__all__ = ["HIDDEN_KEEP", "L1", "L2", "VISIBLE_KEEP", "Dropout", "EarlyStopping", "Penalty"]
