"""A budget of memory: the steps are those without one, the peak is what was promised, and what cannot be is refused."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.errors import ArgumentError, ShapeError, UnsupportedError
from autograd.program.arena import Asked, arranged
from autograd.program.budget import bytes_of
from autograd.program.fitting import flops

PLENTY = "8GB"


def perceptron():
    parts = []
    for n in (24, 64, 64):
        parts += [nn.Linear(n, 64), nn.GELU(), regularize.Dropout(0.3)]
    return nn.Sequential(*parts, nn.Linear(64, 5)), (512, 24)


def attention():
    block = nn.TransformerEncoderLayer(32, 4, 64, 0.2, "gelu", batch_first=True, norm_first=True)
    return nn.Sequential(block, nn.Flatten(), nn.Linear(16 * 32, 5)), (24, 16, 32)


def convolutions():
    parts = [nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.SiLU(), nn.MaxPool2d(2)]
    parts += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(8 * 9, 5)), (16, 2, 12, 12)


def residual():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = [nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 48), nn.Tanh()) for _ in range(5)]
            self.last = nn.Linear(48, 5)

        def forward(self, x):
            for part in self.parts:
                x = x + part(x)
            return self.last(x)

    return Residual(), (400, 48)


MODELS = {f.__name__: f for f in (perceptron, attention, convolutions, residual)}
PARTS = {"perceptron": 0.78, "attention": 0.75, "convolutions": 0.88, "residual": 0.8}  # of the memory for everything


class Training:
    """A model, an optimizer, and a step of it: plain, compiled, or compiled with a budget."""

    def __init__(self, make, fit_in=None, plain=False):
        ag.random.seed(3)
        self.model, self.shape = make()
        generator = ag.random.Generator(5)
        with ag.no_grad():
            for p in self.model.parameters():
                p.copy_(generator.normal(size=p.shape).astype("float32") * 0.2)
        self.optimizer = optim.AdamW(self.model.parameters(), lr=0.01, eps=1e-3)
        self.step = self.one if plain else ag.compile(self.one, fit_in=fit_in)

    def one(self, x, t):
        self.optimizer.zero_grad()
        y = self.model(x)
        loss = F.cross_entropy(y, t)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss, "best": ag.argmax(y, axis=1)}

    def batch(self, k=0):
        rng = np.random.default_rng(k)
        return ag.tensor(rng.standard_normal(self.shape).astype("float32")), rng.integers(0, 5, self.shape[0])

    def program(self):
        return self.step.program(*self.batch())

    def run(self, steps=5):
        """The losses, and everything that the steps have changed."""
        ag.random.seed(11)
        losses = [float(self.step(*self.batch(k))["loss"].item()) for k in range(steps)]
        state = self.optimizer.state_dict()["state"]
        tensors = [*self.model.parameters(), *self.model.buffers(), *(p.grad for p in self.model.parameters())]
        held = [v for s in state.values() for v in s.values() if v is not None]
        return losses, [np.array(ag.asarray(t).numpy()) for t in (*tensors, *held)], ag.random.random()


def least(make):
    """The smallest budget that can be kept, as the refusal states it."""
    with pytest.raises(ArgumentError, match="at least") as refusal:
        Training(make, 1).program()
    return int(str(refusal.value).partition("Write fit_in='")[2].partition("MB")[0]), str(refusal.value)


def tight(name):
    """A budget well below what is held if everything is kept, and that."""
    kept = Training(MODELS[name], PLENTY).program().peak
    return int(kept * PARTS[name]), kept


@pytest.mark.parametrize("name", MODELS)
def test_steps_within_a_budget_are_the_steps(name):
    make, (most, kept) = MODELS[name], tight(name)
    plain, free, fitted = Training(make, plain=True), Training(make, PLENTY), Training(make, most)
    expected, between, found = plain.run(), free.run(), fitted.run()
    assert free.step.listings()[0].peak == kept
    program = fitted.step.listings()[0]
    assert program.peak <= most
    assert program.recomputed
    assert fitted.step.reasons() == []
    assert found[2] == between[2] == expected[2]  # as many random numbers were drawn
    np.testing.assert_allclose(found[0], between[0], rtol=1e-6)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    for x, y, z in zip(found[1], between[1], expected[1], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(x, z, rtol=2e-4, atol=2e-5)


def test_dropout_computed_again_draws_the_same_bits():
    x = ag.tensor(np.random.default_rng(0).standard_normal((64, 500)).astype("float32"), requires_grad=True)
    weight = ag.tensor(np.eye(500, dtype="float32"))
    seen = []
    for fit_in in (PLENTY, 2_000_000):
        ag.random.seed(2)

        @ag.compile(fit_in=fit_in)
        def loss(scale):
            y = x
            for _ in range(4):
                y = F.dropout(ag.sin(y) @ weight, 0.5) * scale
            return ag.sum(y)

        scale = ag.tensor(np.float32(1.5))
        loss(scale).backward()
        seen.append((loss.listings()[0], x.grad.numpy() == 0, x.grad.numpy().copy()))
        x.grad = None
    (kept, zeros, expected), (fitted, again, found) = seen
    assert fitted.peak <= 2_000_000 < kept.peak
    assert fitted.recomputed
    assert (zeros == again).all()
    assert 0.9 < zeros.mean() < 0.97
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_program_that_fits_computes_nothing_again():
    program = Training(perceptron, PLENTY).program()
    assert program.recomputed == []
    assert "again" not in str(program)
    assert "held at once, of 8.0 GB" in str(program)
    ordinary = Training(perceptron)
    ordinary.run(2)
    assert program.peak <= ordinary.step.listings()[0].peak


def test_the_list_names_what_is_computed_again():
    most, kept = tight("perceptron")
    program = Training(perceptron, most).program()
    text = str(program)
    assert "computed again instead of being kept" in text
    assert "more operations" in text
    for one in program.recomputed:
        assert str(one) in text
        assert one.flops > 0
        assert one.times >= 1
    gelu = max(program.recomputed, key=lambda one: one.bytes)
    assert {"uniform_like", "multiply"} <= set(gelu.operations)
    assert gelu.shape == (512, 64)
    assert gelu.bytes >= 2 * 4 * 512 * 64  # the slope of GELU, and what dropout has left
    assert gelu.origins[0].file.endswith("test_fit_in.py")
    assert all(text in program.to_html() for text in ("computed again", "held at once"))
    freed = sum(one.bytes for one in program.recomputed)
    assert 0 < kept - program.peak <= freed


def test_what_cannot_fit_is_refused_before_anything_runs():
    training = Training(perceptron, "200kB")
    before = [p.numpy().copy() for p in training.model.parameters()]
    ag.random.seed(6)
    with pytest.raises(
        ArgumentError, match=r"fit_in='200kB', and needs \d.* at least: .* is kept, less by what"
    ) as error:
        training.step(*training.batch())
    assert "a smaller batch" in str(error.value)
    assert all((p.numpy() == b).all() for p, b in zip(training.model.parameters(), before, strict=True))
    after = ag.random.random()
    ag.random.seed(6)
    assert after == ag.random.random()
    megabytes, _ = least(perceptron)
    assert Training(perceptron, f"{megabytes}MB").program().peak <= megabytes * 10**6


@pytest.mark.parametrize("given", ["lots", "512 MX", "-1MB", "", "1e3MB", "0MB", 0, -5, 1.5, True, b"1MB"])
def test_what_is_no_amount_of_memory_is_refused(given):
    with pytest.raises(ArgumentError, match='Write fit_in="512MB"'):
        ag.compile(lambda x: x, fit_in=given)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ("512MB", 512_000_000),
        ("1.5GB", 1_500_000_000),
        ("64MiB", 64 << 20),
        ("2 kb", 2000),
        (".5GiB", 1 << 29),
        ("12", 12),
        (7, 7),
    ],
)
def test_amounts_of_memory(given, count):
    assert bytes_of(given) == count


def test_what_cannot_be_captured_is_refused():
    f = ag.compile(lambda x: x * float(ag.sum(x).item()), fit_in="1GB")
    with pytest.raises(UnsupportedError, match=r"fit_in='1GB', and there is no program for these arguments: it reads"):
        f(ag.ones(3))


def test_errors_of_the_function_stay_what_they_are():
    f = ag.compile(lambda x: x @ ag.ones((4, 2)), fit_in="1GB")
    with pytest.raises(ShapeError, match="matmul"):
        f(ag.ones((2, 3)))


def test_each_kind_of_arguments_has_a_peak_of_its_own():
    training = Training(perceptron, PLENTY)
    x, t = training.batch()
    training.step(x, t)
    training.step(x[:100], t[:100])
    whole, part = (listing.peak for listing in training.step.listings())
    parameters = sum(p.numpy().nbytes for p in training.model.parameters())
    assert 3.5 < (whole - 4 * parameters) / (part - 4 * parameters) < 6


def test_arrays_that_are_needed_at_once_lie_apart():
    rng = np.random.default_rng(0)
    for _ in range(20):
        starts = rng.integers(0, 30, 40)
        asked = [Asked(int(rng.integers(1, 50_000)), int(k), int(k + rng.integers(0, 10))) for k in starts]
        arena = arranged(asked)
        live = max(sum(a.bytes for a in asked if a.step <= k <= a.until) for k in range(40))
        assert live <= arena.bytes <= 1.5 * live + 40 * 4096
        lying = list(zip(asked, arena.places, strict=True))
        for k, (a, at) in enumerate(lying):
            assert at % 4096 == 0
            assert at + a.bytes <= arena.bytes
            for b, other in lying[:k]:
                apart = at + a.bytes <= other or other + b.bytes <= at
                assert apart or a.until < b.step or b.until < a.step


def test_operations_are_counted_as_on_the_tape():
    training = Training(convolutions, PLENTY)
    training.step(*training.batch())
    (run,) = next(iter(training.step.programs.values()))
    found = [flops(s) for s in run.program.symbols if s.op is not None and s.op.name.startswith("convolve")]
    first, second = 2 * 16 * 8 * 144 * 2 * 9, 2 * 16 * 8 * 36 * 8 * 9
    assert sorted(found) == sorted([first, first, second, second, second])  # nobody asks for the gradient of x
