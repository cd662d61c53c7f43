"""Update rules, each stated once as a pure function of parameter, gradient and state: `import optim`."""

from optim.adam import Adam, AdamW
from optim.optimizer import Optimizer
from optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
