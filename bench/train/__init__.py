"""What training costs around the model: batches, the trainer's own work in a step, and the steps of the optimizers."""

from bench.train.measure import ABOUT, run, show

__all__ = ["ABOUT", "run", "show"]
