"""PyTorch's figures for parametrised weights: `python tests/figures/make_parametrize.py`."""

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("parametrize.json")
CASES = [
    ["weight_norm", "Linear", [4, 3], {}],
    ["weight_norm", "Linear", [4, 3], {"dim": 1}],
    ["weight_norm", "Linear", [4, 3], {"dim": None}],
    ["weight_norm", "Linear", [4, 3], {"dim": -1}],
    ["weight_norm", "Conv2d", [2, 3, 2], {}],
    ["spectral_norm", "Linear", [4, 3], {}],
    ["spectral_norm", "Linear", [4, 3], {"dim": 1, "n_power_iterations": 3}],
    ["spectral_norm", "Conv2d", [2, 3, 2], {}],
    ["orthogonal", "Linear", [3, 3], {}],
    ["orthogonal", "Linear", [4, 3], {}],
    ["orthogonal", "Linear", [3, 4], {"orthogonal_map": "cayley"}],
    ["orthogonal", "Linear", [3, 4], {"orthogonal_map": "matrix_exp", "use_trivialization": False}],
    ["orthogonal", "Linear", [3, 4], {"orthogonal_map": "householder", "use_trivialization": False}],
    ["orthogonal", "Conv2d", [2, 3, 2], {"orthogonal_map": "cayley"}],
]


def plain(tensors):
    """Nested lists, which JSON can hold."""
    return {name: t.detach().tolist() for name, t in tensors}


def records():
    """For each case: an input; the state before; output and gradients in training; the state after; then evaluation."""
    import torch

    found = []
    for k, (norm, kind, args, options) in enumerate(CASES):
        torch.manual_seed(k)
        layer = getattr(torch.nn, kind)(*args).double()
        getattr(torch.nn.utils.parametrizations, norm)(layer, **options)
        x = torch.from_numpy(np.random.default_rng(k).normal(size=(2, args[0]) if kind == "Linear" else (1, 2, 3, 3)))
        record = {"x": x.tolist(), "state": plain(layer.state_dict().items())}
        y = layer(x)
        (y * y).sum().backward()
        record |= {"y": y.tolist(), "gradients": plain((n, p.grad) for n, p in layer.named_parameters())}
        record |= {"after": plain(layer.state_dict().items()), "evaluated": layer.eval()(x).tolist()}
        found.append(record)
    return {"origin": f"torch {torch.__version__}", "cases": CASES, "records": found}


if __name__ == "__main__":
    FILE.write_text(json.dumps(records()) + "\n", encoding="utf-8")
