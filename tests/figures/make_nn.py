"""PyTorch's outputs and gradients for every layer and loss: `python tests/figures/make_nn.py` writes nn.npz."""

import json
import warnings
from pathlib import Path

import numpy as np

IMAGES = (2, 4, 6, 5)


def case(kind, *args, shape, target=None, **options):
    """One module: its arguments, the shape of its input, and what its target is made of."""
    return {"kind": kind, "args": args, "options": options, "shape": shape, "target": target}


def losses(kind, *, shape=(3, 4), target="real", **options):
    return [case(kind, shape=shape, target=target, reduction=r, **options) for r in ("none", "mean", "sum")]


LAYERS = [
    case("Linear", 5, 3, shape=(4, 5)),
    case("Linear", 5, 3, shape=(2, 3, 5), bias=False),
    case("Linear", in_features=5, out_features=1, shape=(5,)),
    case("Flatten", shape=(2, 3, 4)),
    case("Flatten", shape=(2, 3, 4), start_dim=0, end_dim=1),
    case("Identity", shape=(2, 3)),
    case("ReLU", shape=(3, 4)),
    case("LeakyReLU", shape=(3, 4)),
    case("LeakyReLU", shape=(3, 4), negative_slope=0.2),
    case("Tanh", shape=(3, 4)),
    case("Sigmoid", shape=(3, 4)),
    case("GELU", shape=(3, 4)),
    case("GELU", shape=(3, 4), approximate="tanh"),
    case("SiLU", shape=(3, 4)),
    case("Softplus", shape=(3, 4)),
    case("Softplus", shape=(3, 4), beta=2.5, threshold=1.0),
    case("Softmax", shape=(3, 4), dim=1),
    case("Softmax", shape=(2, 3, 2), dim=0),
    case("LogSoftmax", shape=(3, 4), dim=1),
    case("LogSoftmax", shape=(2, 3, 2), dim=-2),
    case("Conv2d", 4, 3, 3, shape=IMAGES),
    case("Conv2d", 4, 3, (3, 2), shape=IMAGES, stride=(2, 1), padding=(1, 0)),
    case("Conv2d", 4, 3, 2, shape=IMAGES, padding=1, dilation=(2, 3), bias=False),
    case("Conv2d", 4, 3, (2, 3), shape=IMAGES, padding="same"),
    case("Conv2d", 4, 3, 3, shape=IMAGES, padding="same", dilation=2),
    case("Conv2d", 4, 3, 2, shape=IMAGES, padding="valid", stride=2),
    case("Conv2d", 4, 6, 3, shape=IMAGES, groups=2, padding=1),
    case("Conv2d", 4, 8, 3, shape=IMAGES, groups=4, stride=2),
    case("Conv2d", 4, 3, 1, shape=IMAGES),
    case("Conv2d", 4, 4, 1, shape=IMAGES, groups=2, padding=1),
    case("Conv2d", in_channels=4, out_channels=3, kernel_size=1, shape=IMAGES, stride=2),
    case("Conv2d", 1, 2, (6, 5), shape=(3, 1, 6, 5)),
    case("MaxPool2d", 2, shape=(2, 3, 6, 4)),
    case("MaxPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("MaxPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("MaxPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
    case("MaxPool2d", 2, shape=IMAGES, stride=3),
    case("AvgPool2d", 2, shape=(2, 3, 6, 4)),
    case("AvgPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("AvgPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("AvgPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
]
WEIGHTS = [0.5, 2.0, 1.0, 0.25]
LOSSES = [
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
    case("KLDivLoss", shape=(3, 4), target="distribution", reduction="batchmean"),
    case("KLDivLoss", shape=(3, 4), target="log distribution", reduction="batchmean", log_target=True),
]
CASES = LAYERS + LOSSES


def input_of(c, rng):
    """Numbers away from kinks and ties; probabilities and log-probabilities for the losses that take them."""
    size = int(np.prod(c["shape"]))
    x = (rng.permutation(size) - size // 2 + rng.uniform(0.2, 0.6, size)).reshape(c["shape"]) * (4 / size)
    if c["kind"] == "BCELoss":
        return 1 / (1 + np.exp(-x))
    return x - np.log(np.exp(x).sum(-1, keepdims=True)) if c["kind"] == "KLDivLoss" else x


def target_of(c, rng):
    shape = c["shape"]
    axis = min(1, len(shape) - 1)
    raw = rng.uniform(0.1, 0.9, shape)
    if c["target"] == "labels":
        return rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    kinds = {
        None: None,
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
    options = {k: torch.tensor(v) if k.endswith("weight") else v for k, v in c["options"].items()}
    return getattr(torch.nn, c["kind"])(*c["args"], **options).double()


def records():
    """For each case: input, target, state, cotangent, and PyTorch's output and gradients of input and parameters."""
    import torch

    found = []
    for k, c in enumerate(CASES):
        rng = np.random.default_rng(k)
        module = reference(c)
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(torch.from_numpy(rng.uniform(-1, 1, p.shape)))
        x, target = input_of(c, rng), target_of(c, rng)
        xt = torch.tensor(x, requires_grad=True)
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # its advice on "same" and on "mean"
            y = module(xt) if target is None else module(xt, torch.as_tensor(target))
        cotangent = rng.uniform(0.5, 1.5, tuple(y.shape))
        y.backward(torch.as_tensor(cotangent))
        record = {"x": x, "cotangent": cotangent, "y": y.detach().numpy(), "grad.x": xt.grad.numpy()}
        record |= {f"state.{n}": v.numpy() for n, v in module.state_dict().items()}
        record |= {f"grad.{n}": p.grad.numpy() for n, p in module.named_parameters()}
        found.append(record if target is None else record | {"target": np.asarray(target)})
    return {"origin": f"torch {torch.__version__}", "cases": json.dumps(CASES), "records": found}


def save(path, found):
    """All numbers in one array, and a list that says what each run of it is: hundreds of small arrays cost more."""
    layout, values = [], []
    for k, record in enumerate(found["records"]):
        for name, array in record.items():
            layout.append([k, name, list(array.shape), str(array.dtype)])
            values.append(np.float64(array).reshape(-1))
    numbers = np.concatenate(values)
    np.savez_compressed(path, origin=found["origin"], cases=found["cases"], layout=json.dumps(layout), numbers=numbers)


def load(path):
    with np.load(path) as file:
        numbers, layout = file["numbers"], json.loads(str(file["layout"]))
        origin, cases = str(file["origin"]), str(file["cases"])
    found = [{} for _ in json.loads(cases)]
    for k, name, shape, dtype in layout:
        size = int(np.prod(shape))
        found[k][name], numbers = numbers[:size].reshape(shape).astype(dtype), numbers[size:]
    return {"origin": origin, "cases": cases, "records": found}


if __name__ == "__main__":
    save(Path(__file__).with_name("nn.npz"), records())
