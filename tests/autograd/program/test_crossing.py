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


SUMS = {  # of what is between products; in the last column h is 0, and nothing comes back
    "a difference": lambda h, k: h * ag.exp(h) - h * ag.sin(h) + k,
    "a difference of multiples": lambda h, k: ag.tanh(h) * ag.exp(h) - ag.sin(h) * ag.cos(h) / 3.0 - k,
    "opposites and quotients": lambda h, k: -(h * ag.exp(h)) / 3.0 + h / (1.0 + ag.square(h)) * k,
    "what comes back itself": lambda h, k: h + ag.sin(h) * ag.exp(h) + k,
    "two cotangents": lambda h, k: (h * ag.exp(h), k * ag.sin(h) * ag.exp(h)),
    "factors that are seen": lambda h, k: h * ag.exp(h) * k + ag.sin(h) * ag.tanh(k),
    "an infinite slope where nothing comes back": lambda h, k: ag.sqrt(h) * ag.exp(h) + k,
}


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("inside", [True, False])
def test_sums_of_multiples_are_what_they_were(name, inside):
    x, w, v, u = (0.5 + RNG.random(shape) for shape in ((150, 5), (5, 60), (5, 60), (60, 3)))
    w[:, -1], u[-1] = 0.0, 0.0

    def loss(x, w, v, u):
        made = SUMS[name](0.2 * (x @ w), 0.2 * (x @ v))
        return sum(ag.sum(ag.tanh(0.01 * (y @ u))) for y in (made if type(made) is tuple else (made,)))

    args = [ag.tensor(t) for t in (x, w, v, u)]
    expected = ag.grad(loss, argnums=(0, 1, 2, 3))(*args)
    compiled = ag.compile(ag.grad(loss, argnums=(0, 1, 2, 3)) if inside else loss)
    for _ in range(2):
        found = compiled(*args) if inside else ag.grad(compiled, argnums=(0, 1, 2, 3))(*args)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-11, atol=1e-13)
    assert compiled.reasons() == []
