"""Activations."""

from make_nn import case, spread
from make_nn import reference as plain

SHAPE = (3, 4)
CASES = [
    *(
        case(kind, shape=SHAPE)
        for kind in (
            *("ReLU", "ReLU6", "SELU", "Tanh", "Sigmoid", "LogSigmoid", "SiLU", "Mish", "Softsign"),
            *("Hardsigmoid", "Hardswish", "Hardtanh", "Hardshrink", "Softshrink", "Tanhshrink"),
            *("LeakyReLU", "PReLU", "ELU", "CELU", "GELU", "Softplus", "GLU"),
        )
    ),
    case("LeakyReLU", shape=SHAPE, negative_slope=0.2),
    case("PReLU", shape=(5,), init=0.1),
    case("PReLU", shape=()),
    case("PReLU", shape=(2, 3, 4), num_parameters=3),
    case("RReLU", shape=SHAPE, training=False),
    case("RReLU", shape=SHAPE, training=False, lower=0.2, upper=0.5),
    case("RReLU", shape=SHAPE, lower=0.25, upper=0.25),
    case("ELU", shape=SHAPE, alpha=0.7),
    case("CELU", shape=SHAPE, alpha=0.5),  # PyTorch rounds the slope of others to float32
    case("Threshold", shape=SHAPE, threshold=-0.5, value=0.3),
    case("GELU", shape=SHAPE, approximate="tanh"),
    case("Softplus", shape=SHAPE, beta=2.5, threshold=1.0),
    case("Hardsigmoid", shape=(40,)),
    case("Hardswish", shape=(40,)),
    case("Hardtanh", shape=SHAPE, min_val=-0.5, max_val=1.5),
    case("Hardshrink", shape=SHAPE, lambd=1.2),
    case("Softshrink", shape=SHAPE, lambd=1.2),
    case("GLU", shape=(4, 3), dim=0),
    case("Softmax", shape=SHAPE, dim=1),
    case("Softmax", shape=(2, 3, 2), dim=0),
    case("Softmin", shape=(2, 3, 2), dim=1),
    case("Softmax2d", shape=(3, 2, 2)),
    case("Softmax2d", shape=(2, 3, 2, 2)),
    case("LogSoftmax", shape=SHAPE, dim=1),
    case("LogSoftmax", shape=(2, 3, 2), dim=-2),
]


def arguments(c, rng):
    """Numbers on either side of the kinks."""
    x = spread(c["shape"], rng)
    return [3 * x if c["kind"] in ("ReLU6", "Hardsigmoid", "Hardswish") else x]


def reference(c):
    """PyTorch's module; the hard sigmoid from its parts, as PyTorch's own has 1 / 6 in float32 for float64 too."""
    import torch

    module = plain(c)
    if c["kind"] == "Hardsigmoid":
        module.forward = lambda x: torch.clamp(x / 6 + 0.5, 0, 1)
    return module
