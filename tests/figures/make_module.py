"""PyTorch's names, hooks, functional calls, FLOPs and starting values: `python tests/figures/make_module.py`."""

import inspect
import json
from collections import OrderedDict
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("module.json")
DRAWS = [  # scheme, settings, shape: statistics of many elements
    ("uniform_", {"a": -2.0, "b": 4.0}, (300, 400)),
    ("normal_", {"mean": 1.0, "std": 0.5}, (300, 400)),
    ("trunc_normal_", {}, (300, 400)),
    ("trunc_normal_", {"mean": 1.0, "std": 2.0, "a": -1.0, "b": 1.5}, (300, 400)),
    ("trunc_normal_", {"mean": 0.0, "std": 0.02}, (300, 400)),
    ("xavier_uniform_", {"gain": 2.0}, (100, 20, 6, 5)),
    ("xavier_normal_", {}, (300, 400)),
    ("kaiming_uniform_", {"a": 0.3}, (300, 400)),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, (100, 20, 6, 5)),
    ("kaiming_normal_", {"nonlinearity": "selu"}, (300, 400)),
    ("orthogonal_", {"gain": 3.0}, (300, 100, 4)),
    ("sparse_", {"sparsity": 0.33, "std": 2.0}, (400, 300)),
]
FILLS = [  # scheme, settings, shape: every element
    ("constant_", {"val": 0.25}, (2, 3)),
    ("ones_", {}, (2,)),
    ("zeros_", {}, (2, 2)),
    ("eye_", {}, (2, 4)),
    ("eye_", {}, (3, 2)),
    ("dirac_", {}, (3, 2, 4)),
    ("dirac_", {"groups": 2}, (4, 3, 3, 2)),
    ("dirac_", {"groups": 3}, (3, 1, 1, 2, 3)),
]
GAINS = [*("linear", "conv1d", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")]
SEEDS = {"w0": (4, 3), "b0": (4,), "w2": (2, 4), "b2": (2,), "x": (5, 3), "seed": (5, 2)}


def nested(nn):
    """Containers in containers, shared parts included; `nn` is PyTorch's or ours."""
    shared = nn.Linear(2, 2, bias=False)
    parts = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 2))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = nn.ModuleList([nn.Sequential(shared, nn.Tanh()), shared, nn.ModuleList([nn.PReLU()])])
            self.register_buffer("seen", None)
            self.register_buffer("scratch", nn.Parameter(to_tensor(nn, [1.0])).detach(), persistent=False)
            self.register_buffer("steps", nn.Parameter(to_tensor(nn, [2.0])).detach())
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.ModuleDict({"c": parts[1:]})})
            self.scales = nn.ParameterList([nn.Parameter(to_tensor(nn, [1.0])), to_tensor(nn, [2.0, 3.0])])
            self.shifts = nn.ParameterDict({"left": nn.Parameter(to_tensor(nn, [1.0]))})
            self.named = nn.Sequential(OrderedDict([("first", nn.Linear(2, 2)), ("second", nn.Identity())]))
            self.register_parameter("bias", nn.Parameter(to_tensor(nn, [0.5])))
            self.add_module("last", nn.Linear(2, 1))

    model = Model()
    model.rows.append(nn.Linear(1, 1))
    model.rows.insert(1, nn.Linear(1, 2))
    del model.rows[3]
    model.rows.extend([nn.ReLU(), nn.Linear(2, 1, bias=False)])
    model.scales.append(nn.Parameter(to_tensor(nn, [4.0])))
    parts.insert(1, nn.Linear(3, 3))
    parts.append(nn.Linear(2, 1))
    del parts[2]
    model.parts = parts
    model.sum = nn.Sequential(nn.Linear(1, 1)) + nn.Sequential(nn.ReLU(), nn.Linear(1, 1))
    model.heads.update({"d": nn.PReLU()})
    model.heads.pop("a")
    return model


def to_tensor(nn, values):
    """A tensor of the library that `nn` belongs to."""
    if nn.__name__ == "torch.nn":
        import torch

        return torch.tensor(values)
    import autograd as ag

    return ag.tensor(values, dtype="float32")


def names(model):
    """Everything that a container's names decide."""
    return {
        "state": {name: list(t.shape) for name, t in model.state_dict().items()},
        "modules": [[name, type(m).__name__] for name, m in model.named_modules()],
        "parameters": [name for name, _ in model.named_parameters()],
        "every": [name for name, _ in model.named_parameters(prefix="net", remove_duplicate=False)],
        "own": [name for name, _ in model.named_parameters(recurse=False)],
        "buffers": [name for name, _ in model.named_buffers()],
        "children": [name for name, _ in model.named_children()],
        "applied": applied(model),
    }


def applied(model):
    """The classes of the modules in the order of their first calls; PyTorch calls a shared one again."""
    seen = []
    model.apply(lambda m: None if m in seen else seen.append(m))
    return [type(m).__name__ for m in seen]


def arrays():
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape) for name, shape in SEEDS.items()}


def statistics(values):
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "low": float(values.min()),
        "high": float(values.max()),
        "zeros": [int(n) for n in (values == 0).sum(0).reshape(-1)[:3]],
    }


def torch_draws(nn, torch):
    found = []
    for name, settings, shape in DRAWS:
        torch.manual_seed(0)
        found.append(statistics(getattr(nn.init, name)(torch.empty(shape), **settings).numpy()))
    return found


def torch_call(torch):
    """A functional call's output and gradients."""
    nn, a = torch.nn, {name: torch.tensor(v, requires_grad=name != "seed") for name, v in arrays().items()}
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    given = {"0.weight": a["w0"], "0.bias": a["b0"], "2.weight": a["w2"], "2.bias": a["b2"]}
    y = torch.func.functional_call(model, given, (a["x"],))
    gradients = torch.autograd.grad((y * a["seed"]).sum(), [*given.values(), a["x"]])
    return [t.tolist() for t in (y, *gradients)]


def torch_hooks(torch):
    """What hooks see and what they change, on two inputs and two outputs."""
    a = {name: torch.tensor(v, requires_grad=name in ("w0", "w2")) for name, v in arrays().items()}
    return hooked(torch.nn, a["w0"], a["w2"], lambda t: t.tanh(), lambda t: t.tolist())


def hooked(nn, left, right, tanh, listed):
    """The calls of every kind of hook, in order, with the numbers that they saw; and the gradients that came of it."""
    log = []

    class Cross(nn.Module):
        def forward(self, a, b, scale=1.0):
            return tanh(a * 2) * scale, (a * a).sum() + (b * b * b).sum()

    def note(what, *values):
        log.append([what, [None if v is None else listed(v) for v in values]])

    model = Cross()
    model.register_forward_pre_hook(lambda m, args: (args[0] * 0.5, args[1]))
    model.register_forward_pre_hook(lambda m, args: note("before", *args), prepend=True)
    model.register_forward_pre_hook(lambda m, args, kwargs: (args, {"scale": 3.0}), with_kwargs=True)
    model.register_forward_hook(lambda m, args, output: note("after", *args, *output))
    model.register_forward_hook(
        lambda m, args, kwargs, output: (output[0] + kwargs["scale"], output[1]), with_kwargs=True
    )
    model.register_full_backward_pre_hook(lambda m, out: (out[0] * 2, out[1]))
    model.register_full_backward_hook(lambda m, into, out: note("gradients", *into, *out))
    model.register_full_backward_hook(lambda m, into, out: (into[0] * 10, into[1]))
    removed = model.register_forward_hook(lambda m, args, output: note("never"))
    removed.remove()
    y, total = model(left * 1.0, right * 1.0)
    (y.sum() + total * 4).backward()
    return {"log": log, "y": listed(y), "gradients": [listed(left.grad), listed(right.grad)]}


def models(nn):
    """Models and the shapes of their inputs, whose products of matrices are counted."""
    return {
        "convolutions": (
            nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(8, 16, (3, 5), stride=2, groups=4),
                nn.Flatten(),
                nn.Linear(32, 10),
            ),
            (2, 3, 10, 12),
        ),
        "attention": (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (3, 7, 16)),
    }


def torch_flops(torch):
    from torch.utils.flop_counter import FlopCounterMode

    found = {}
    for name, (model, shape) in models(torch.nn).items():
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(shape))
        found[name] = counter.get_total_flops()
    return found


def signatures(torch):
    """The arguments of every module, in order, with their defaults as text; and the methods of all modules."""
    kinds = {n: c for n, c in vars(torch.nn).items() if inspect.isclass(c) and issubclass(c, torch.nn.Module)}
    return {name: [[p.name, repr(p.default)] for p in arguments_of(c)] for name, c in sorted(kinds.items())}


def arguments_of(kind):
    """The named arguments of a class."""
    ignored = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in inspect.signature(kind).parameters.values() if p.kind not in ignored]


def methods(torch):
    return sorted(name for name in dir(torch.nn.Module) if not name.startswith("_"))


def records():
    """All figures, of the PyTorch that is installed."""
    import torch

    nn = torch.nn
    return {
        "origin": f"torch {torch.__version__}",
        "names": names(nested(nn)),
        "draws": torch_draws(nn, torch),
        "fills": [getattr(nn.init, f)(torch.empty(shape), **settings).tolist() for f, settings, shape in FILLS],
        "gains": {name: nn.init.calculate_gain(name, 0.2 if name == "leaky_relu" else None) for name in GAINS},
        "call": torch_call(torch),
        "hooks": torch_hooks(torch),
        "flops": torch_flops(torch),
        "signatures": signatures(torch),
        "methods": methods(torch),
    }


def load():
    return json.loads(PATH.read_text())


if __name__ == "__main__":
    PATH.write_text(json.dumps(records()) + "\n")
