"""Connectionist temporal classification."""

import numpy as np
from make_nn import case, spread
from make_nn import reference as plain


def losses(*, layout="padded", lengths=(5, 5, 5), sizes=(2, 3, 1), classes=4, **options):
    """The case of each reduction; the target says how transcripts are laid out, and all lengths."""
    target = [layout, list(lengths), list(sizes)]
    shape = (max(lengths), len(lengths), classes) if layout != "single" else (lengths[0], classes)
    return [case("CTCLoss", shape=shape, target=target, reduction=r, **options) for r in ("none", "mean", "sum")]


CASES = [
    *losses(),
    *losses(lengths=(6, 4, 5), sizes=(3, 1, 2), blank=3),
    *losses(layout="concatenated", lengths=(5, 3, 4), sizes=(0, 1, 2)),
    *losses(layout="single", lengths=(4,), sizes=(2,)),
    *losses(lengths=(2, 5), sizes=(3, 2), zero_infinity=True),
]


def arguments(c, rng):
    """Log-probabilities, transcripts (with repeats: there are few classes), and the lengths of both."""
    x = spread(c["shape"], rng)
    x = x - np.log(np.exp(x).sum(-1, keepdims=True))
    layout, lengths, sizes = c["target"]
    blank = c["options"].get("blank", 0)
    labels = rng.integers(0, 2, (len(sizes), max(sizes))) + (blank == 0)
    if layout == "concatenated":
        labels = np.concatenate([row[:size] for row, size in zip(labels, sizes, strict=True)])
    if layout == "single":
        return [x, labels[0], np.int64(lengths[0]), np.int64(sizes[0])]
    return [x, labels, np.array(lengths), np.array(sizes)]


def reference(c):
    """PyTorch's module, whose gradient is e^log_probs more than the derivative: the share of log_softmax."""
    import torch

    options = c["options"]
    each = plain({**c, "options": {**options, "reduction": "none"}})
    module = torch.nn.Module()

    def forward(x, targets, lengths, sizes):
        found = each(x, targets, lengths, sizes)
        steps = torch.arange(len(x)).unsqueeze(-1) < lengths
        share = (x.detach().exp() * (x.detach() - x)).sum(-1)  # 0, but for its slope
        share = (share * steps.squeeze(-1) if x.ndim == 2 else share * steps).sum(0)
        losses = torch.where(found == 0, found, found + share)
        if options["reduction"] == "mean":
            return (losses / sizes.clamp(min=1)).mean()
        return losses if options["reduction"] == "none" else losses.sum()

    module.forward = forward
    return module
