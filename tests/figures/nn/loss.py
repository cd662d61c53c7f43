"""Losses."""

import numpy as np
from make_nn import case, spread
from make_nn import reference as plain


def losses(kind, *, shape=(3, 4), target="real", **options):
    """The case of a loss with each of its reductions."""
    return [case(kind, shape=shape, target=target, fixed=[1], reduction=r, **options) for r in ("none", "mean", "sum")]


WEIGHTS = [0.5, 2.0, 1.0, 0.25]
CASES = [
    *losses("MSELoss"),
    *losses("MSELoss", shape=()),
    *losses("L1Loss"),
    *losses("HuberLoss"),
    *losses("HuberLoss", delta=0.3),
    *losses("SmoothL1Loss"),
    *losses("SmoothL1Loss", beta=2.5),
    *losses("BCELoss", target="unit"),
    *losses("BCELoss", target="binary", weight=WEIGHTS),
    *losses("BCEWithLogitsLoss", target="unit"),
    *losses("BCEWithLogitsLoss", target="binary", weight=WEIGHTS, pos_weight=[3.0, 1.0, 0.5, 2.0]),
    *losses("CrossEntropyLoss", target="labels", shape=(5, 4)),
    *losses("CrossEntropyLoss", target="labels", shape=(4,)),
    *losses("CrossEntropyLoss", target="labels", shape=(3, 4, 2), weight=WEIGHTS, ignore_index=1),
    *losses("CrossEntropyLoss", target="labels", shape=(5, 4), label_smoothing=0.1),
    *losses("CrossEntropyLoss", target="labels", shape=(3, 4, 2), ignore_index=2, label_smoothing=0.3),
    *losses("CrossEntropyLoss", target="labels", shape=(6, 4), weight=WEIGHTS, ignore_index=0, label_smoothing=0.2),
    *losses("CrossEntropyLoss", target="labels", shape=(6, 4), weight=[0.0, 2.0, 0.5, 0.0], label_smoothing=0.2),
    *losses("CrossEntropyLoss", target="distribution", shape=(5, 4)),
    *losses("CrossEntropyLoss", target="distribution", shape=(4,)),
    *losses("CrossEntropyLoss", target="distribution", shape=(3, 4, 2), weight=WEIGHTS, label_smoothing=0.1),
    *losses("NLLLoss", target="labels", shape=(5, 4)),
    *losses("NLLLoss", target="labels", shape=(3, 4, 2), weight=WEIGHTS, ignore_index=3),
    *losses("HingeLoss", target="signs"),
    *losses("KLDivLoss", target="distribution"),
    *losses("KLDivLoss", target="log distribution", log_target=True),
    case("KLDivLoss", shape=(3, 4), fixed=[1], target="distribution", reduction="batchmean"),
    case("KLDivLoss", shape=(3, 4), fixed=[1], target="log distribution", reduction="batchmean", log_target=True),
]


def arguments(c, rng):
    """Scores, probabilities or log-probabilities, and a target for them."""
    x = spread(c["shape"], rng)
    if c["kind"] == "BCELoss":
        x = 1 / (1 + np.exp(-x))
    if c["kind"] == "KLDivLoss":
        x = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return [x, np.asarray(target_of(c, rng))]


def target_of(c, rng):
    shape = c["shape"]
    axis = min(1, len(shape) - 1)
    raw = rng.uniform(0.1, 0.9, shape)
    if c["target"] == "labels":
        return rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    kinds = {
        "real": rng.standard_normal(shape),
        "unit": raw,
        "binary": np.round(raw),
        "signs": np.where(raw > 0.5, 1.0, -1.0),
        "distribution": raw / raw.sum(axis, keepdims=True) if shape else raw,
        "log distribution": np.log(raw / raw.sum(axis, keepdims=True)) if shape else raw,
    }
    return kinds[c["target"]]


def reference(c):
    """PyTorch's module for a case; the hinge, which it lacks, from its functions."""
    import torch

    if c["kind"] == "HingeLoss":
        reduce = {"none": lambda x: x, "mean": torch.mean, "sum": torch.sum}[c["options"]["reduction"]]
        module = torch.nn.Module()
        module.forward = lambda f, y: reduce(torch.clamp(1 - y * f, min=0))
        return module
    return plain(c)
