"""PyTorch's figures for every layer and loss: `python tests/figures/make_nn.py [topic ...]` writes nn/<topic>.npz.

A topic is a file nn/<topic>.py with a list CASES of `case(...)`; it may define `arguments(c, rng)`, the arrays that a
module is called with, and `reference(c)`, PyTorch's module, where the ones below do not serve.
"""

import json
import runpy
import sys
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("nn")
TOPICS = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def case(kind, *args, shape=(3, 4), target=None, training=True, inputs=(), fixed=(), call=None, order=2, **options):
    """One module and one call of it.

    kind, args, options: the class and what it is made with. shape: of the first input; `inputs`: shapes of further
    ones. fixed: positions of inputs without a gradient. target: what the target is made of. training: the mode.
    call: keyword arguments of the call. order: up to which finite differences are compared.
    """
    given = {"kind": kind, "args": args, "options": options, "shape": shape, "target": target, "training": training}
    return given | {"inputs": inputs, "fixed": fixed, "call": call or {}, "order": order}


def spread(shape, rng):
    """Numbers around 0, away from kinks and ties."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2 + rng.uniform(0.2, 0.6, size)).reshape(shape) * (4 / max(size, 1))


def arguments(c, rng):
    """The arrays that the module is called with."""
    return [spread(shape, rng) for shape in (c["shape"], *c["inputs"])]


def reference(c):
    """PyTorch's module of the same name and arguments, in float64."""
    import torch

    options = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in c["options"].items()}
    return getattr(torch.nn, c["kind"])(*c["args"], **options).double()


def topic(name):
    """CASES, arguments and reference of a topic."""
    found = runpy.run_path(str(FOLDER / f"{name}.py"))
    return {"arguments": arguments, "reference": reference} | found


def flat(y):
    """The arrays of an output, in order; None left out."""
    if isinstance(y, (tuple, list)):
        return [leaf for part in y for leaf in flat(part)]
    return [] if y is None else [y]


def records(name):
    """For each case: inputs, state, outputs, cotangents, and PyTorch's gradients of inputs and parameters."""
    import torch

    own, found = topic(name), []
    for k, c in enumerate(own["CASES"]):
        rng = np.random.default_rng(k)
        module = own["reference"](c).train(c["training"])
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(torch.from_numpy(rng.uniform(-1, 1, p.shape)))
        arrays = own["arguments"](c, rng)
        record = {f"in.{i}": a for i, a in enumerate(arrays)}
        record |= {f"state.{n}": v.numpy().copy() for n, v in module.state_dict().items()}
        xs = [torch.as_tensor(a.copy()) for a in arrays]
        free = [i for i, a in enumerate(arrays) if a.dtype.kind == "f" and i not in c["fixed"]]
        for i in free:
            xs[i].requires_grad_()
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # its advice on "same" and on "mean"
            ys = flat(module(*xs, **c["call"]))
        cotangents = [rng.uniform(0.5, 1.5, tuple(y.shape)) for y in ys]
        live = [(y, torch.as_tensor(g)) for y, g in zip(ys, cotangents, strict=True) if y.requires_grad]
        torch.autograd.backward(*map(list, zip(*live, strict=True)))
        record |= {f"out.{i}": y.detach().numpy() for i, y in enumerate(ys)}
        record |= {f"cotangent.{i}": g for i, g in enumerate(cotangents)}
        record |= {f"grad.in.{i}": xs[i].grad.numpy() for i in free if xs[i].grad is not None}
        record |= {f"grad.{n}": p.grad.to_dense().numpy() for n, p in module.named_parameters() if p.grad is not None}
        record |= {f"after.{n}": v.numpy().copy() for n, v in module.named_buffers()}
        found.append(record)
    return {"origin": f"torch {torch.__version__}", "cases": json.dumps(own["CASES"]), "records": found}


def save(path, found):
    """All numbers in one array, and a list that says what each run of it is: hundreds of small arrays cost more."""
    layout, values = [], []
    for k, record in enumerate(found["records"]):
        for name, array in record.items():
            layout.append([k, name, list(array.shape), str(array.dtype)])
            values.append(np.float64(array).reshape(-1))
    numbers = np.concatenate(values)
    np.savez_compressed(path, origin=found["origin"], cases=found["cases"], layout=json.dumps(layout), numbers=numbers)


def load(name):
    """What `save` wrote for a topic."""
    with np.load(FOLDER / f"{name}.npz") as file:
        numbers, layout = file["numbers"], json.loads(str(file["layout"]))
        origin, cases = str(file["origin"]), str(file["cases"])
    found = [{} for _ in json.loads(cases)]
    for k, key, shape, dtype in layout:
        size = int(np.prod(shape))
        found[k][key], numbers = numbers[:size].reshape(shape).astype(dtype), numbers[size:]
    return {"origin": origin, "cases": cases, "records": found}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    for name in sys.argv[1:] or TOPICS:
        save(FOLDER / f"{name}.npz", records(name))
