"""Losses of regression, of two classes and of many."""

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
    *losses("LogCoshLoss"),
    *losses("QuantileLoss", q=0.8),
    *losses("PoissonNLLLoss", target="counts"),
    *losses("PoissonNLLLoss", target="counts", full=True),
    *losses("PoissonNLLLoss", target="counts", log_input=False, full=True, eps=1e-3),
    *losses("GaussianNLLLoss", inputs=[(3, 4)]),
    *losses("GaussianNLLLoss", inputs=[(3, 1)], full=True),
    *losses("GaussianNLLLoss", inputs=[(3,)], eps=1e-2),
    *losses("BCELoss", target="unit"),
    *losses("BCELoss", target="binary", weight=WEIGHTS),
    *losses("BCEWithLogitsLoss", target="unit"),
    *losses("BCEWithLogitsLoss", target="binary", weight=WEIGHTS, pos_weight=[3.0, 1.0, 0.5, 2.0]),
    *losses("SigmoidFocalLoss", target="binary"),
    *losses("SigmoidFocalLoss", target="binary", alpha=-1, gamma=0.5),
    *losses("SigmoidFocalLoss", target="binary", shape=(), alpha=0.6, gamma=1.0),
    *losses("SoftmaxFocalLoss", target="labels", shape=(5, 4)),
    *losses("SoftmaxFocalLoss", target="labels", shape=(3, 4, 2), weight=WEIGHTS, gamma=0.7, ignore_index=1),
    *losses("DiceLoss", target="binary", shape=(2, 3, 2)),
    *losses("DiceLoss", target="unit", smooth=0.1),
    *losses("CategoricalCrossEntropyLoss", target="distribution"),
    *losses("CategoricalCrossEntropyLoss", target="labels", shape=(2, 4, 3)),
    *losses("CategoricalCrossEntropyLoss", target="labels", shape=(4,)),
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
    *losses("KLDivLoss", target="distribution"),
    *losses("KLDivLoss", target="log distribution", log_target=True),
    case("KLDivLoss", shape=(3, 4), fixed=[1], target="distribution", reduction="batchmean"),
    case("KLDivLoss", shape=(3, 4), fixed=[1], target="log distribution", reduction="batchmean", log_target=True),
]


def arguments(c, rng):
    """Scores, probabilities or log-probabilities, a target for them, and variances."""
    x = spread(c["shape"], rng)
    if c["kind"] in ("BCELoss", "DiceLoss"):
        x = 1 / (1 + np.exp(-x))
    if c["kind"] == "PoissonNLLLoss" and not c["options"].get("log_input", True):
        x = np.exp(x)
    if c["kind"] == "KLDivLoss":
        x = x - np.log(np.exp(x).sum(-1, keepdims=True))
    if c["kind"] == "CategoricalCrossEntropyLoss":
        x = np.exp(x) / np.exp(x).sum(min(1, x.ndim - 1), keepdims=True)
    return [x, np.asarray(target_of(c, rng)), *(rng.uniform(0.2, 2.0, shape) for shape in c["inputs"])]


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
        "counts": np.floor(5 * raw),
        "distribution": raw / raw.sum(axis, keepdims=True) if shape else raw,
        "log distribution": np.log(raw / raw.sum(axis, keepdims=True)) if shape else raw,
    }
    return kinds[c["target"]]


def log_cosh(_options, f, y):
    import torch

    return torch.log(torch.cosh(f - y))


def quantile(options, f, y):
    import torch

    return torch.maximum(options["q"] * (y - f), (options["q"] - 1) * (y - f))


def sigmoid_focal(options, x, y):
    import torch

    alpha, gamma = options.get("alpha", 0.25), options.get("gamma", 2.0)
    p = torch.sigmoid(x)
    p = p * y + (1 - p) * (1 - y)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none") * (1 - p) ** gamma
    return losses if alpha < 0 else (alpha * y + (1 - alpha) * (1 - y)) * losses


def softmax_focal(options, x, y):
    import torch

    ignored = options.get("ignore_index", -100)
    log_p = -torch.nn.functional.cross_entropy(x, y, reduction="none", ignore_index=ignored)
    return -((1 - log_p.exp()) ** options.get("gamma", 2.0)) * log_p


def dice(options, p, y):
    p, y, smooth = p.flatten(1), y.flatten(1), options.get("smooth", 1.0)
    return 1 - (2 * (p * y).sum(1) + smooth) / (p.sum(1) + y.sum(1) + smooth)


def categorical(_options, p, y):
    import torch

    axis = min(1, p.ndim - 1)
    if y.shape == p.shape:
        return -(y * p.log()).sum(axis)
    return torch.nn.functional.nll_loss(p.log(), y, reduction="none")


FORMULAS = {  # of the losses that PyTorch lacks
    "LogCoshLoss": log_cosh,
    "QuantileLoss": quantile,
    "SigmoidFocalLoss": sigmoid_focal,
    "SoftmaxFocalLoss": softmax_focal,
    "DiceLoss": dice,
    "CategoricalCrossEntropyLoss": categorical,
}


def reference(c):
    """PyTorch's module for a case; what it lacks, from its functions."""
    import torch

    if c["kind"] not in FORMULAS:
        return plain(c)
    options = c["options"]
    module = torch.nn.Module()
    if "weight" in options:
        module.register_buffer("weight", torch.tensor(options["weight"], dtype=torch.float64))

    def forward(x, y):
        losses = FORMULAS[c["kind"]](options, x, y)
        shares = torch.ones_like(losses)
        if "weight" in options:
            shares = module.weight[y] * (y != options["ignore_index"])
        losses = losses * shares
        reduce = {"none": lambda x: x, "mean": lambda x: x.sum() / shares.sum(), "sum": torch.sum}
        return reduce[options["reduction"]](losses)

    module.forward = forward
    return module
