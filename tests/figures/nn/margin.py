"""Losses that ask for a margin, between scores, classes or vectors; distances."""

import numpy as np
from make_nn import case, spread
from make_nn import reference as plain

REDUCTIONS = ("none", "mean", "sum")


def losses(kind, *, fixed=(1,), **options):
    """The case of a loss with each of its reductions."""
    return [case(kind, fixed=list(fixed), reduction=r, **options) for r in REDUCTIONS]


def triplets(kind, **options):
    return losses(kind, fixed=(), shape=(4, 3), inputs=[(4, 3), (4, 3)], **options)


WEIGHTS = [0.5, 2.0, 1.0, 0.25]
PAIR = {"shape": (4, 3), "inputs": [(4, 3)]}
CASES = [
    *losses("HingeLoss", target="signs"),
    *losses("SquaredHingeLoss", target="signs"),
    *losses("SoftMarginLoss", target="signs"),
    *losses("HingeEmbeddingLoss", target="signs"),
    *losses("HingeEmbeddingLoss", target="signs", margin=0.3),
    *losses("MarginRankingLoss", target="signs", inputs=[(3, 4)], fixed=(2,)),
    *losses("MarginRankingLoss", target="signs", inputs=[(3, 4)], fixed=(2,), margin=0.35),
    *losses("MultiMarginLoss", target="labels", shape=(5, 4)),
    *losses("MultiMarginLoss", target="labels", shape=(4,)),
    *losses("MultiMarginLoss", target="labels", shape=(5, 4), p=2, margin=0.35, weight=WEIGHTS),
    *losses("MultiLabelMarginLoss", target="rows", shape=(5, 4)),
    *losses("MultiLabelMarginLoss", target="rows", shape=(4,)),
    *losses("MultiLabelSoftMarginLoss", target="unit"),
    *losses("MultiLabelSoftMarginLoss", target="unit", weight=WEIGHTS),
    *losses("CosineEmbeddingLoss", target="row signs", **PAIR, fixed=(2,)),
    *losses("CosineEmbeddingLoss", target="row signs", **PAIR, fixed=(2,), margin=0.1),
    *losses("CosineEmbeddingLoss", target="row signs", shape=(3,), inputs=[(3,)], fixed=(2,)),
    *triplets("TripletMarginLoss"),
    *triplets("TripletMarginLoss", margin=2.0, p=1.0),
    *triplets("TripletMarginLoss", p=3.0, eps=1e-3, swap=True),
    *triplets("TripletMarginWithDistanceLoss"),
    *triplets("TripletMarginWithDistanceLoss", distance_function=None, margin=2.0, swap=True),
    case("PairwiseDistance", **PAIR),
    case("PairwiseDistance", **PAIR, p=1.0, eps=1e-3, keepdim=True),
    case("PairwiseDistance", **PAIR, p=3.5),
    case("PairwiseDistance", shape=(3,), inputs=[(4, 3)], p=float("inf")),
    case("CosineSimilarity", **PAIR),
    case("CosineSimilarity", shape=(2, 3, 2), inputs=[(3, 1)], dim=-2, eps=1e-4),
]


def arguments(c, rng):
    """Scores or vectors, and signs or labels for them."""
    given = [spread(shape, rng) for shape in (c["shape"], *c["inputs"])]
    shape = c["shape"]
    raw = rng.uniform(0.1, 0.9, shape)
    targets = {
        "signs": np.where(raw > 0.5, 1.0, -1.0),
        "row signs": np.where(raw.sum(-1) > 0.5 * shape[-1], 1.0, -1.0),
        "unit": raw,
        "labels": rng.integers(0, shape[-1], shape[:-1]),
        "rows": np.where(rng.random(shape) > 0.4, rng.integers(0, shape[-1], shape), -1),
    }
    return given if c["target"] is None else [*given, np.asarray(targets[c["target"]])]


def reference(c):
    """PyTorch's module for a case; the hinges, which it lacks, from its functions."""
    import torch

    powers = {"HingeLoss": 1, "SquaredHingeLoss": 2}
    if c["kind"] not in powers:
        return plain(c)
    reduce = {"none": lambda x: x, "mean": torch.mean, "sum": torch.sum}[c["options"]["reduction"]]
    module = torch.nn.Module()
    module.forward = lambda f, y: reduce(torch.clamp(1 - y * f, min=0) ** powers[c["kind"]])
    return module
