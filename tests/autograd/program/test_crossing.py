"""What the forward half of a program leaves to the backward half."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim

RNG = np.random.default_rng(0)
LARGE = 256 * 64 * 4  # bytes of what the layer between gives


class Step:
    """A training step of a layer with an activation between two products."""

    def __init__(self, activation, compiled):
        ag.random.seed(1)
        self.model = nn.Sequential(nn.Linear(32, 64), activation, nn.Linear(64, 8))
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.1)
        self.step = ag.compile(self.one) if compiled else self.one

    def one(self, x):
        self.optimizer.zero_grad()
        loss = ag.mean(ag.square(self.model(x)))
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def run(self):
        x = np.random.default_rng(2).standard_normal((256, 32)).astype("float32")
        losses = [self.step(x).item() for _ in range(4)]
        return [*losses, *(np.array(p.numpy()) for p in self.model.parameters())]

    def between(self):
        """The buffers of the layer's size that the kernel of the activation writes."""
        (program,) = self.step.listings()
        first = next(row for row in program.rows if row.kind == "kernel")
        return first.bytes_written / LARGE


WRITTEN = {  # of the layer's size: what the second product reads, and what its derivative is a multiple of
    "GELU": (nn.GELU(), 2),
    "GELU by tanh": (nn.GELU(approximate="tanh"), 2),
    "tanh": (nn.Tanh(), 1),
    "sigmoid": (nn.Sigmoid(), 1),
    "ReLU": (nn.ReLU(), 1),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_as_little_is_written_as_will_do(name):
    activation, most = WRITTEN[name]
    compiled, plain = Step(activation, True), Step(activation, False)
    for ours, theirs in zip(compiled.run(), plain.run(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)
    assert compiled.between() <= most + 0.1


def test_a_normalised_value_is_made_again_of_the_difference():
    def loss(x, w):
        return ag.sum(ag.tanh(F.layer_norm(x, (64,)) @ w))

    x, w = (ag.tensor(RNG.standard_normal(shape), requires_grad=True) for shape in ((256, 64), (64, 3)))
    program = ag.compile(loss).program(x, w)
    first = next(row for row in program.rows if row.kind == "kernel")
    assert first.bytes_written < 2.2 * x.numpy().nbytes  # the product's operand and the difference from the mean


@pytest.mark.parametrize("width", [1, 7])
def test_sums_of_multiples_are_one(width):
    """Of plain products, of quotients and opposites, and of numbers alone, with factors that spread."""

    def f(x, w, s):
        h = x @ w
        y = h * ag.exp(h) / 3.0 - h / (1.0 + ag.square(h)) * s + 2.0 * h - (-h)
        return ag.sum(ag.sin(y @ ag.swapaxes(w, 0, 1)))

    shapes = ((33, 5), (5, width), (width,))
    args = [0.3 * RNG.standard_normal(shape) for shape in shapes]
    expected, compiled = ag.value_and_grad(f, argnums=(0, 1, 2))(*args), ag.compile(f)
    for _ in range(2):
        value, gradients = ag.value_and_grad(compiled, argnums=(0, 1, 2))(*args)
        np.testing.assert_allclose(value.numpy(), expected[0].numpy(), rtol=1e-12)
        for ours, theirs in zip(gradients, expected[1], strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)
    assert compiled.reasons() == []


def test_zeros_of_a_cotangent_stay_zero_where_its_factor_is_infinite():
    """The square root has an infinite slope at 0, which nothing comes back to."""

    def f(x, w):
        h = x @ w
        return ag.sum(ag.where(h > 0, h * ag.sqrt(h) * ag.exp(h), 0.0) @ w)

    x = ag.tensor(np.zeros((40, 20)), requires_grad=True)
    w = ag.tensor(np.ones((20, 20)), requires_grad=True)
    compiled = ag.compile(f)
    for _ in range(2):
        for g in ag.grad(compiled, argnums=(0, 1))(x.detach(), w.detach()):
            np.testing.assert_array_equal(g.numpy(), np.zeros(g.shape))
