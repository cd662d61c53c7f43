"""PyTorch's trajectories for every combination of options: `python tests/figures/make_optim.py` writes optim.json."""

import itertools
import json
from pathlib import Path

OPTIONS = {
    "SGD": {
        "lr": [0.03],
        "momentum": [0, 0.9],
        "dampening": [0, 0.3],
        "weight_decay": [0, 0.05],
        "nesterov": [False, True],
        "maximize": [False, True],
    },
    "Adam": {
        "lr": [0.02],
        "betas": [(0.9, 0.999), (0.7, 0.95)],
        "eps": [1e-8, 1e-3],
        "weight_decay": [0, 0.05],
        "amsgrad": [False, True],
        "maximize": [False, True],
    },
}
OPTIONS["AdamW"] = OPTIONS["Adam"]
START = {"w": [[1.0, -2.0], [0.5, 3.0], [0.0, -0.25]], "b": [4.0, -1.0, 0.125]}
CURVATURE = [[1.0, 0.5], [2.0, 0.1], [0.3, 1.5]]
KEPT = (1, 2, 10, 100)  # the steps whose weights are stored


def cases():
    for name, options in OPTIONS.items():
        for values in itertools.product(*options.values()):
            case = dict(zip(options, values, strict=True))
            if not case.get("nesterov") or (case["momentum"] and not case["dampening"]):
                yield name, case


def loss(w, b, curvature):
    """A bowl in w, a trough in b, and a term that couples them; PyTorch's Tensors and ours can both compute it."""
    return 0.5 * (curvature * w * w).sum() + ((1 + b * b) ** 0.5).sum() + 0.1 * (w.sum() - b.sum()) ** 2 / 3


def records():
    import torch

    curvature = torch.tensor(CURVATURE, dtype=torch.float64)
    found = []
    for name, options in cases():
        w, b = (torch.tensor(START[key], dtype=torch.float64, requires_grad=True) for key in "wb")
        optimizer = getattr(torch.optim, name)([w, b], **options)
        weights = {}
        for step in range(1, max(KEPT) + 1):
            optimizer.zero_grad()
            loss(w, b, curvature).backward()
            optimizer.step()
            if step in KEPT:
                weights[str(step)] = [w.tolist(), b.tolist()]
        found.append({"class": name, "options": options, "weights": weights})
    return {"origin": f"torch {torch.__version__}", "records": found}


if __name__ == "__main__":
    Path(__file__).with_name("optim.json").write_text(json.dumps(records(), indent=None, separators=(",", ":")) + "\n")
