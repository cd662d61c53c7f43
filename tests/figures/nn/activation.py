"""Activations."""

from make_nn import case

CASES = [
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
]
