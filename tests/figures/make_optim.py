"""PyTorch's trajectories for every combination of options: `python tests/figures/make_optim.py` writes optim.npz."""

import itertools
import json
from pathlib import Path

import numpy as np

WEIGHT_DECAY = {"weight_decay": [0, 0.05]}
MAXIMIZE = {"maximize": [False, True]}
BETAS = {"betas": [(0.9, 0.999), (0.7, 0.95)], "eps": [1e-8, 1e-3]}
OPTIONS = {
    "SGD": {"lr": [0.03], "momentum": [0, 0.9], "dampening": [0, 0.3], **WEIGHT_DECAY, "nesterov": [False, True]},
    "Adam": {
        "lr": [0.02],
        **BETAS,
        **WEIGHT_DECAY,
        "amsgrad": [False, True],
        "decoupled_weight_decay": [False, True],
    },
    "AdamW": {"lr": [0.02], **BETAS, **WEIGHT_DECAY, "amsgrad": [False, True]},
    "Adagrad": {
        "lr": [0.3],
        "lr_decay": [0, 0.1],
        **WEIGHT_DECAY,
        "initial_accumulator_value": [0, 0.5],
        "eps": [1e-10, 1e-3],
    },
    "RMSprop": {
        "lr": [0.001],
        "alpha": [0.99, 0.8],
        "eps": [1e-8, 1e-3],
        **WEIGHT_DECAY,
        "momentum": [0, 0.7],
        "centered": [False, True],
    },
    "Adadelta": {"lr": [0.3], "rho": [0.9, 0.7], "eps": [1e-6, 1e-2], **WEIGHT_DECAY},
    "Adamax": {"lr": [0.005], **BETAS, **WEIGHT_DECAY},
    "NAdam": {
        "lr": [0.02],
        **BETAS,
        **WEIGHT_DECAY,
        "momentum_decay": [0.004, 0],
        "decoupled_weight_decay": [False, True],
    },
    "RAdam": {"lr": [0.02], **BETAS, **WEIGHT_DECAY, "decoupled_weight_decay": [False, True]},
    "Rprop": {"lr": [0.01], "etas": [(0.5, 1.2), (0.3, 1.5)], "step_sizes": [(1e-6, 50), (1e-3, 0.1)]},
    "ASGD": {"lr": [0.05], "lambd": [1e-4, 0.1], "alpha": [0.75, 0.5], "t0": [1e6, 20], **WEIGHT_DECAY},
}
OPTIONS = {name: {**options, **MAXIMIZE} for name, options in OPTIONS.items()}
OPTIONS["LBFGS"] = {
    "lr": [0.8],
    "max_iter": [20, 3],
    "max_eval": [None, 7],
    "tolerance_grad": [1e-7, 1e-1],
    "tolerance_change": [1e-9, 1e-2],
    "history_size": [100, 2],
    "line_search_fn": [None, "strong_wolfe"],
}
START = {"w": [[1.0, -2.0], [0.5, 3.0], [-0.75, 1.5]], "b": [4.0, -1.0, 0.625]}
CURVATURE = [[1.0, 0.5], [2.0, 0.1], [0.3, 1.5]]
STEPS = 100
KEPT = (1, 3, STEPS)  # the steps whose weights are stored
STORED = 3  # the step whose state is stored, of the first and the last case of each class


def cases():
    for name, options in OPTIONS.items():
        for values in itertools.product(*options.values()):
            case = dict(zip(options, values, strict=True))
            looks_ahead = not case.get("nesterov") or (case["momentum"] and not case["dampening"])
            decays = not case.get("decoupled_weight_decay") or case["weight_decay"]
            if looks_ahead and decays:
                yield name, case


def loss(w, b, curvature):
    """A bowl in w, a trough in b, and a term that couples them; PyTorch's Tensors and ours can both compute it."""
    return 0.5 * (curvature * w * w).sum() + ((1 + b * b) ** 0.75).sum() + 0.1 * (w.sum() - b.sum()) ** 2 / 3


def gradients(w, b, curvature):
    """Those of the loss: PyTorch's own sweep would take most of the time."""
    pull = (w.sum() - b.sum()) * (0.2 / 3)
    return curvature * w + pull, 1.5 * b / (1 + b * b) ** 0.25 - pull


def trajectory(name, options, states=None):
    """The weights after each step, w and then b; the state after step 3 goes to the end of the list `states`."""
    import torch

    curvature = torch.tensor(CURVATURE)
    w, b = (torch.tensor(START[key], requires_grad=True) for key in "wb")
    optimizer = getattr(torch.optim, name)([w, b], **options)

    def closure():
        with torch.no_grad():
            w.grad, b.grad = gradients(w, b, curvature)
            return loss(w, b, curvature)

    for step in range(1, STEPS + 1):
        optimizer.step(closure)
        if step == STORED and states is not None:
            states.append(plain(optimizer.state_dict()))
        yield [*w.detach().flatten().tolist(), *b.tolist()]


def plain(x):
    """A state as JSON has it, its arrays as {"array": lists}."""
    if isinstance(x, dict):
        return {str(key): plain(entry) for key, entry in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(entry) for entry in x]
    return {"array": x.tolist()} if hasattr(x, "tolist") else x


def arrays(x):
    """A state as it was before `plain`, its arrays NumPy's."""
    if isinstance(x, dict):
        kept = {int(key) if key.isdecimal() else key: arrays(entry) for key, entry in x.items()}
        return np.array(x["array"]) if x.keys() == {"array"} else kept
    return [arrays(entry) for entry in x] if isinstance(x, list) else x


def records():
    """The origin, the cases, and by class states as JSON and the weights (case, kept step, 9)."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # else PyTorch keeps some numbers of its state in float32
    try:
        found, states = {}, {}
        for name in OPTIONS:
            seen = []
            paths = [list(trajectory(name, options, seen)) for other, options in cases() if other == name]
            found[name] = np.array([[path[step - 1] for step in KEPT] for path in paths])
            states[name] = [seen[0], seen[-1]]
    finally:
        torch.set_default_dtype(before)
    return {
        "origin": f"torch {torch.__version__}",
        "cases": json.dumps(list(cases())),
        "states": json.dumps(states),
        **found,
    }


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("optim.npz"), **records())
