"""All cases that are timed side by side, by name."""

from bench.kernels import elementwise, layers, losses, optimizers, products

TOPICS = (elementwise, losses, layers, optimizers, products)
CASES = {case.name: case for topic in TOPICS for case in topic.CASES}
