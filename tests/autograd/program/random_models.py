"""Models of random parts, for the random programs of this folder: of samples, (N, CLASSES) for each loss."""

import numpy as np

import autograd as ag
import nn
import regularize

CLASSES, TIME, WORDS = 3, 4, 7


class Attended(nn.Module):
    """Self-attention without biases: the gradient of a key's bias is 0, and rounding is all there would be to it."""

    def __init__(self, features, width, dtype):
        self.widen = nn.Linear(features, width, bias=False, dtype=dtype)
        self.attention = nn.MultiheadAttention(width, 2, bias=False, batch_first=True, dtype=dtype)

    def forward(self, x):
        x = self.widen(x)
        return ag.mean(x + self.attention(x, x, x, need_weights=False)[0], 1)


class Last(nn.Module):
    """The last output of a recurrent layer."""

    def __init__(self, cell):
        self.cell = cell

    def forward(self, x):
        return self.cell(x)[0][:, -1]


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class Gated(nn.Module):
    """x sigmoid(gain x + W x), with a parameter of its own and a view of another."""

    def __init__(self, linear, dtype):
        self.linear, self.gain = linear, nn.Parameter(np.ones(linear.in_features, dtype))

    def forward(self, x):
        return x * ag.sigmoid(self.gain * x + self.linear(x)) + self.linear.weight[0]


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus, nn.LeakyReLU, nn.Sigmoid, nn.PReLU]
RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def front(kind, h, dtype):
    """The first layers, with the shape of a sample."""
    if kind == "vector":
        return nn.Sequential(nn.Linear(5, h, dtype=dtype), nn.Tanh()), (5,)
    if kind in ("image", "normed image"):
        normed = [nn.BatchNorm2d(2, dtype=dtype)] if kind == "normed image" else []
        conv = nn.Conv2d(1, 2, 3, padding=1, bias=not normed, dtype=dtype)
        pool = nn.AvgPool2d(2) if normed else nn.MaxPool2d(2)
        return nn.Sequential(conv, *normed, nn.Tanh(), pool, nn.Flatten(), nn.Linear(18, h, dtype=dtype)), (1, 6, 6)
    words, name = kind.split()
    if words == "tokens":
        first, shape, features = [nn.Embedding(WORDS, 4, padding_idx=0, dtype=dtype)], (TIME,), 4
    else:
        first, shape, features = [], (TIME, 3), 3
    if name == "attention":
        return nn.Sequential(*first, Attended(features, h, dtype)), shape
    return nn.Sequential(*first, Last(RECURRENT[name](features, h, batch_first=True, dtype=dtype))), shape


FRONTS = ["vector", "vector", "vector", "image", "normed image"]
FRONTS += [f"{words} {name}" for words in ("tokens", "series") for name in ("attention", *RECURRENT)]


def block(name, h, act, shared, spec):
    """One layer between the first and the heads, (N, h) -> (N, h)."""
    dtype = spec["dtype"]
    linear = nn.Linear(h, h, dtype=dtype)
    if name == "dense":
        return nn.Sequential(linear, act())
    if name == "residual":
        return Residual(nn.Sequential(nn.LayerNorm(h, dtype=dtype), linear, act()))
    if name == "batch norm":  # no bias before it, not even one that comes through layers that are linear
        return nn.Sequential(nn.Tanh(), nn.Linear(h, h, bias=False, dtype=dtype), nn.BatchNorm1d(h, dtype=dtype), act())
    if name == "norm":
        kinds = [nn.LayerNorm(h, dtype=dtype), nn.RMSNorm(h, dtype=dtype), nn.GroupNorm(2, h, dtype=dtype)]
        return kinds[len(spec["blocks"]) % 3]
    if name == "dropout":
        return regularize.Dropout(0.4, generator=spec["generator"])
    return {
        "shared": nn.Sequential(shared, nn.Tanh()),
        "gated": Gated(linear, dtype),
        "gated shared": Gated(shared, dtype),
    }[name]


BLOCKS = ["dense", "residual", "batch norm", "norm", "dropout", "shared", "gated", "gated shared"]


class Model(nn.Module):
    """What a program trains."""

    def __init__(self, spec):
        h, dtype = spec["width"], spec["dtype"]
        self.front, self.shape = front(spec["front"], h, dtype)
        shared, act = nn.Linear(h, h, dtype=dtype), ACTIVATIONS[spec["activation"]]
        act = (lambda: nn.PReLU(dtype=dtype)) if act is nn.PReLU else act
        self.blocks = nn.Sequential(*(block(name, h, act, shared, spec) for name in spec["blocks"]))
        self.heads = nn.ModuleList([nn.Linear(h, CLASSES, dtype=dtype) for _ in spec["losses"]])
        self.average = nn.Buffer(np.zeros((CLASSES, h), dtype))

    def forward(self, x):
        y = self.blocks(self.front(x))
        return [head(y) for head in self.heads]
