"""Compiled functions against the functions themselves: losses, gradients, buffers, random numbers, refusals."""

import gc
from io import StringIO

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.config import config
from autograd.errors import DifferentiationError, IndexOutOfRange
from autograd.program.capture import depends_on
from autograd.tree import flatten

RNG = np.random.default_rng(0)


def images(*shape):
    return RNG.standard_normal(shape).astype("float32")


def labels(n, classes):
    return RNG.integers(0, classes, n)


def mlp():
    return nn.Sequential(nn.Linear(20, 33), nn.ReLU(), nn.Linear(33, 17), nn.GELU(), nn.Linear(17, 5))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.BatchNorm2d(6),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(24, 5),
    )


class Attention(nn.Module):
    def __init__(self):
        self.embedding = nn.Embedding(11, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.block(self.embedding(x)).mean(1))


class Last(nn.Module):
    def __init__(self, kind):
        self.cell = kind(6, 7, batch_first=True)
        self.head = nn.Linear(7, 5)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


MODELS = {
    "mlp": (mlp, images(16, 20)),
    "layer norm": (
        lambda: nn.Sequential(nn.Linear(20, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 5)),
        images(16, 20),
    ),
    "batch norm": (lambda: nn.Sequential(nn.Linear(20, 8), nn.BatchNorm1d(8), nn.Linear(8, 5)), images(16, 20)),
    "cnn": (cnn, images(16, 1, 12, 12)),
    "lstm": (lambda: Last(nn.LSTM), images(16, 4, 6)),
    "gru": (lambda: Last(nn.GRU), images(16, 4, 6)),
    "attention": (Attention, labels((16, 6), 11)),
}
LOSSES = {
    "cross entropy": (lambda y, t: F.cross_entropy(y, t), labels(16, 5)),
    "mse": (lambda y, t: F.mse_loss(y, t), images(16, 5)),
    "huber": (lambda y, t: F.huber_loss(y, t, reduction="sum"), images(16, 5)),
    "bce": (lambda y, t: F.binary_cross_entropy_with_logits(y, t), np.float32(images(16, 5) > 0)),
}


def grads(model):
    found = [None if p.grad is None else p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    return found


def agree(model, f, compiled, *args):
    """One loss and its gradients both ways; buffers end up equal."""
    start = [b.numpy().copy() for b in model.buffers()]
    expected = f(*args)
    expected.backward()
    plain, after = grads(model), [b.numpy().copy() for b in model.buffers()]
    for b, value in zip(model.buffers(), start, strict=True):
        b.set_(value)
    loss = compiled(*args)
    loss.backward()
    assert loss.dtype == expected.dtype
    np.testing.assert_allclose(loss.item(), expected.item(), rtol=2e-5)
    for fast, slow in zip(grads(model), plain, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=2e-4, atol=1e-5)
    for b, value in zip(model.buffers(), after, strict=True):
        np.testing.assert_allclose(b.numpy(), value, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_losses_gradients_and_buffers_are_those_of_the_function(name, loss):
    ag.random.seed(0)
    make, x = MODELS[name]
    criterion, target = LOSSES[loss]
    model = make()
    f = lambda x, t: criterion(model(x), t)  # noqa: E731
    compiled = ag.compile(f)
    for _ in range(3):
        agree(model, f, compiled, x, target)
    refused = []
    assert compiled.reasons() == refused
    agree(model, f, compiled, x[:7], target[:7])
    model.eval()
    agree(model, f, compiled, x, target)
    with ag.no_grad():
        np.testing.assert_allclose(compiled(x, target).item(), f(x, target).item(), rtol=2e-5)
    assert compiled.reasons() == refused


def train(compile, steps, optimizer, model, x, t, dropout=None):
    ag.random.seed(3)
    model.load_state_dict(nn.Sequential(*[]).state_dict() | START)
    f = lambda x, t: F.cross_entropy(model(x), t)  # noqa: E731
    run, losses = ag.compile(f) if compile else f, []
    stepper = optimizer(model.parameters())
    for k in range(steps):
        stepper.zero_grad()
        rows = slice(0, 16 if k % 3 else 11)
        loss = run(x[rows], t[rows])
        loss.backward()
        stepper.step()
        losses.append(loss.item())
    if compile:
        assert run.reasons() == []
    return losses


START = {}


@pytest.mark.parametrize("optimizer", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.01)])
def test_training_follows_the_same_curve(optimizer):
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5))
    START.clear()
    START.update({k: v.numpy().copy() for k, v in model.state_dict().items()})
    x, t = images(16, 20), labels(16, 5)
    plain, fast = (train(c, 30, optimizer, model, x, t) for c in (False, True))
    np.testing.assert_allclose(fast, plain, rtol=1e-3)
    assert fast[-1] < 0.7 * fast[0]


def test_dropout_draws_the_same_numbers():
    drop = nn.Sequential(nn.Linear(20, 30))
    generator = ag.random.Generator(5)
    f = lambda x: F.dropout(drop(x), 0.4, generator=generator).sum()  # noqa: E731
    compiled, x = ag.compile(f), images(16, 20)
    results = []
    for run in (f, compiled):
        generator.set_state(ag.random.Generator(5).get_state())
        results.append([run(x).item() for _ in range(4)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)
    assert len(set(results[1])) == 4
    assert compiled.reasons() == []


def test_parameters_that_were_replaced_are_read_anew():
    model = nn.Linear(20, 3)
    compiled, x = ag.compile(lambda x: model(x).sum()), images(4, 20)
    compiled(x)
    model.load_state_dict({"weight": np.ones((3, 20)), "bias": np.zeros(3)})
    np.testing.assert_allclose(compiled(x).item(), 3 * x.sum(), rtol=1e-5)


def test_gradients_that_are_kept_are_not_written_over():
    model = nn.Linear(20, 3)
    compiled, x = ag.compile(lambda x: (model(x) ** 2).sum()), images(4, 20)
    compiled(x).backward()
    kept = model.weight.grad
    before = kept.numpy().copy()
    model.weight.grad = None
    first, second = compiled(x * 2), compiled(x)
    np.testing.assert_array_equal(kept.numpy(), before)
    second.backward()
    np.testing.assert_array_equal(model.weight.grad.numpy(), before)
    first.backward()  # accumulates
    assert (model.weight.grad.numpy() != before).any()
    losses = [compiled(x * k) for k in (1.0, 2.0)]
    assert losses[0].item() != losses[1].item()


def test_gradients_of_arguments_and_scaled_losses():
    w = ag.tensor(images(5), requires_grad=True)
    compiled = ag.compile(lambda x, scale: ag.sum(ag.tanh(x * w)) * scale)
    x = ag.tensor(images(3, 5), requires_grad=True)
    (compiled(x, 2.0) * 3.0).backward()
    slope = 1 - np.tanh(x.numpy() * w.numpy()) ** 2
    np.testing.assert_allclose(x.grad.numpy(), 6 * slope * w.numpy(), rtol=1e-5)
    w.grad = None
    compiled(x, -1.0).backward()
    np.testing.assert_allclose(w.grad.numpy(), -(slope * x.numpy()).sum(0), rtol=1e-4, atol=1e-6)
    assert len(compiled.programs) == 1


def test_second_derivatives_go_through_the_function():
    w = ag.tensor([0.3, 0.7], requires_grad=True)
    compiled = ag.compile(lambda x: ag.sum(ag.sin(x * w)))
    x = np.array([1.0, 2.0])
    (g,) = ag.grad(compiled(x), [w], create_graph=True)
    (h,) = ag.grad(g.sum(), [w])
    np.testing.assert_allclose(h.numpy(), -np.sin(x * w.numpy()) * x * x, rtol=1e-12)
    noisy = ag.compile(lambda x: F.dropout(x * w, 0.5).sum())
    with pytest.raises(DifferentiationError, match="draws random numbers"):
        ag.grad(noisy(x), [w], create_graph=True)


DRAWN = {
    "normal": lambda x, g: x * g.normal(size=(4, 2), dtype="float32"),
    "whole": lambda x, g: x[g.integers(0, 4, size=3)],
    "order": lambda x, g: x[g.permutation(4)],
    "one": lambda x, g: x * g.uniform(-1, 1) + g.random(),
    "masked": lambda x, g: ag.where(g.bernoulli(0.5, (4, 2)), x, 0.0),
    "given back": lambda x, g: (ag.sum(x), g.normal(size=3), g.choice(np.arange(9.0), 2)),
    "with seeds": lambda x, g: ag.uniform_like(x, g.seed()) * g.normal(2.0, 0.5, (4, 2)) * ag.uniform_like(x, g.seed()),
    "unread": lambda x, g: (g.normal(size=3), g.seed(), ag.sin(x))[2] * g.uniform(size=(4, 2)),
    "for each sample": lambda x, g: ag.vmap(lambda row: row * g.normal(size=2))(x),
}


@pytest.mark.parametrize("f", DRAWN.values(), ids=DRAWN)
def test_random_numbers_of_programs_are_those_of_the_function(f):
    """Drawn anew in each run, in the function's order; afterwards the generator stands where it would stand."""
    x, eager, compiled = ag.tensor(images(4, 2)), ag.random.Generator(5), ag.random.Generator(5)
    run = ag.compile(lambda x: f(x, compiled))
    for _ in range(3):
        ours, theirs = flatten(run(x))[0], flatten(f(x, eager))[0]
        for a, b in zip(ours, theirs, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
        assert compiled.get_state() == eager.get_state()
    assert run.reasons() == []
    assert len(run.programs) == 1


@pytest.mark.parametrize("draw", [lambda g, t: g.choice(t, 4), lambda g, t: g.permutation(t)])
def test_random_elements_are_those_that_a_tensor_has_now(draw):
    t, g = ag.tensor(np.arange(4.0)), ag.random.Generator(5)
    run = ag.compile(lambda x: x + draw(g, t))
    x = ag.zeros(4)
    run(x), run(x)
    t.copy_(np.arange(10.0, 14.0))
    assert run(x).numpy().min() >= 10


REFUSED = {
    "control flow depends on a value": lambda x, w: ag.sum(x * w) if ag.sum(x) > 0 else ag.sum(x),
    "reads a value": lambda x, w: ag.sum(x * w) * float(w.sum()),
    "takes elements by a mask": lambda x, w: (x * w)[x > 0],
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_captured_runs_as_it_stands_and_says_why(words):
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    f = REFUSED[words]
    compiled = ag.compile(lambda x: f(x, w))
    x = np.array([3.0, 4.0])
    y = compiled(x)
    expected = f(ag.tensor(x), w)
    for a, b in zip(*([r] if isinstance(r, ag.Tensor) else r for r in (y, expected)), strict=True):
        np.testing.assert_array_equal(ag.asarray(a).detach(), ag.asarray(b).detach())
    assert any(words in reason for reason in compiled.reasons())


def test_wrong_labels_are_refused_as_by_the_function():
    model = mlp()
    compiled = ag.compile(lambda x, t: F.cross_entropy(model(x), t))
    x, t = images(16, 20), labels(16, 5)
    compiled(x, t)
    t[3] = 9
    with pytest.raises(IndexOutOfRange, match="label 9 at position"):
        compiled(x, t)
    t[3] = -100
    fast = compiled(x, t)
    assert compiled.reasons() == []
    np.testing.assert_allclose(fast.item(), F.cross_entropy(model(x), t).item(), rtol=1e-5)


def test_kernels_off_means_the_function():
    compiled = ag.compile(lambda x: ag.sum(x * 2.0))
    with config.using(kernels=False):
        compiled(np.ones(3))
    assert compiled.programs == {}


def test_memory_is_flat():
    model = mlp()
    compiled = ag.compile(lambda x, t: F.cross_entropy(model(x), t))
    x, t = images(16, 20), labels(16, 5)
    optimizer = optim.Adam(model.parameters())

    def step():
        optimizer.zero_grad()
        compiled(x, t).backward()
        optimizer.step()

    step()
    step()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(50):
            step()
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()


def test_a_program_can_be_read():
    model = mlp()
    compiled = ag.compile(lambda x, t: F.cross_entropy(model(x), t))
    lines = compiled.explain(images(16, 20), labels(16, 5)).splitlines()
    assert sum(line.startswith("matmul") for line in lines) == 8  # three forwards; of the inputs there is no gradient
    assert any("(16, 20) @ (20, 33)" in line for line in lines)
    assert any(line.startswith("kernel") and "16 x 33" in line and "greater" in line for line in lines)


# ---- arguments, results and what a function makes itself


def test_the_form_of_arguments_belongs_to_the_program():
    f = ag.compile(lambda d, **settings: d["a"] * 2.0 + d["b"] - settings["c"])
    a, b = ag.tensor([1.0, 2.0]), ag.tensor([10.0, 20.0])
    for _ in range(3):
        assert f({"a": a, "b": b}, c=1.0).tolist() == [11.0, 23.0]
        assert f({"b": b, "a": a}, c=1.0).tolist() == [11.0, 23.0]
    g = ag.compile(lambda x, y: x - y)
    for _ in range(3):
        assert g(x=a, y=b).tolist() == [-9.0, -18.0]
        assert g(y=b, x=a).tolist() == [-9.0, -18.0]
    assert f.reasons() == g.reasons() == []


def test_a_tensor_that_the_function_makes_begins_anew_in_each_call():
    outside = ag.zeros(2)

    def f(x):
        s = ag.zeros(2)
        for _ in range(3):
            s += x
        outside.copy_(outside + 1.0)
        return {"s": s, "outside": outside, "ones": ag.ones(2), "sum": ag.sum(s)}

    f = ag.compile(f)
    results = [f(ag.tensor([1.0, 2.0])) for _ in range(4)]
    assert [r["s"].tolist() for r in results] == [[3.0, 6.0]] * 4
    assert [r["sum"].item() for r in results] == [9.0] * 4
    assert outside.tolist() == [4.0, 4.0]
    assert all(r["outside"] is outside for r in results)
    assert results[2]["ones"] is not results[3]["ones"]
    assert results[2]["ones"].value is not results[3]["ones"].value
    ((run,),) = f.programs.values()
    assert [t for t, _ in run.assigned] == [outside]  # and not what it made itself
    assert f.reasons() == []


def test_how_many_elements_a_mask_takes_is_not_known_before():
    f = ag.compile(lambda x: ag.sum(x[x > 1.5]))
    assert [f(ag.tensor(x)).item() for x in ([1.0, 2.0], [2.0, 3.0], [0.0, 0.0])] == [2.0, 5.0, 0.0]
    assert "by a mask" in f.reasons()[0]
    assert "write ag.where" in f.reasons()[0]


def test_truths_are_added_as_numpy_adds_them():
    f = ag.compile(lambda x: (x > 0) + (x > 1))
    assert f(ag.tensor([0.0, 1.0, 2.0])).tolist() == [False, True, True]
    assert "logical_or" in f.reasons()[0]


def test_numbers_of_numpy_keep_their_dtype():
    f = ag.compile(lambda x, c: x * c)
    x = ag.ones(3, dtype="float32")
    numbers = (2.5, np.float64(2.5), np.float32(2.5))
    for _ in range(2):
        assert [str(f(x, c).dtype) for c in numbers] == ["float32", "float64", "float32"]
        assert [f(x, c).tolist() for c in numbers] == [[2.5] * 3] * 3
    assert f.reasons() == []


def test_another_layer_in_the_place_of_one_is_noticed():
    class Model(nn.Module):
        def __init__(self):
            self.linear, self.act = nn.Linear(3, 2), nn.Tanh()

        def forward(self, x):
            return self.act(self.linear(x))

    model, x = Model(), ag.ones((4, 3), dtype="float32")
    compiled = ag.compile(lambda x: ag.sum(model(x) ** 2))
    for act in (nn.Tanh(), nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.Sigmoid()):
        model.act = act
        for _ in range(3):
            assert compiled(x).item() == pytest.approx(ag.sum(model(x) ** 2).item(), rel=1e-6)
    assert compiled.reasons() == []


def test_what_a_program_depends_on_may_have_slots():
    class Switch:
        __slots__ = ("on",)

    switch = Switch()
    switch.on = True

    def f(x):
        depends_on(switch, "on")
        return ag.sum(x) if switch.on else ag.sum(-x)

    compiled = ag.compile(f)
    assert (compiled(ag.ones(3)).item(), compiled.reasons()) == (3, [])
    switch.on = False
    assert (compiled(ag.ones(3)).item(), compiled.reasons()) == (-3, [])


@pytest.mark.parametrize("before", [True, False])
def test_a_capture_leaves_the_collector_as_it_was(before):
    seen = StringIO()  # a list would be put back as it was

    def broken(x):
        print(gc.isenabled(), file=seen)
        raise RuntimeError("on purpose")

    try:
        (gc.enable if before else gc.disable)()
        ag.compile(ag.sum)(ag.ones(3))
        assert gc.isenabled() is before
        with pytest.raises(RuntimeError):
            ag.compile(broken)(ag.ones(3))
        assert seen.getvalue().split() == ["False", str(before)], "captured, then run as it stands"
    finally:
        gc.enable()
