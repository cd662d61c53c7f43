"""Whole training steps compiled: losses, parameters, gradients and state are those of the same steps run eagerly."""

import gc
import inspect
import tracemalloc

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.config import config
from autograd.errors import ArgumentError, DataError, DifferentiationError

RULES = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "AdamW in groups": lambda p: optim.AdamW([{"params": p[:2], "lr": 0.01}, {"params": p[2:]}], lr=0.02),
} | {
    name: (lambda p, rule=rule: rule(p))
    for name, rule in inspect.getmembers(optim, inspect.isclass)
    if issubclass(rule, optim.Optimizer) and not inspect.isabstract(rule) and name not in ("LBFGS", "SGD", "SparseAdam")
}


def data(n=24, features=9, classes=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, features)).astype("float32"), rng.integers(0, classes, n)


class Training:
    """A model, an optimizer, and a step of it, compiled or not."""

    def __init__(self, rule, compiled, dropout=0.0):
        ag.random.seed(1)
        generator = ag.random.Generator(7)
        parts = [
            nn.Linear(9, 12, bias=False),
            nn.BatchNorm1d(12),
            nn.Tanh(),
            regularize.Dropout(dropout),
            nn.Linear(12, 4),
        ]
        self.model = nn.Sequential(*parts)
        with ag.no_grad():
            for p in self.model.parameters():
                p.copy_(generator.normal(size=p.shape).astype("float32") * 0.3)
        self.optimizer = rule(list(self.model.parameters()))
        self.step = ag.compile(self.one) if compiled else self.one

    def one(self, x, t):
        self.optimizer.zero_grad()
        y = self.model(x)
        loss = F.cross_entropy(y, t)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss, "best": ag.argmax(y, axis=1)}

    def seen(self):
        """Everything that a step changes."""
        state = self.optimizer.state_dict()["state"]
        return [
            *(p.numpy().copy() for p in self.model.parameters()),
            *(b.numpy().copy() for b in self.model.buffers()),
            *(p.grad.numpy().copy() for p in self.model.parameters()),
            *(np.array(ag.asarray(x).numpy()) for entry in state.values() for x in entry.values() if x is not None),
        ]


def agree(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", RULES)
def test_compiled_steps_are_the_steps(name):
    x, t = data()
    plain, fast = Training(RULES[name], False), Training(RULES[name], True)
    for k in range(8):
        rows = slice(0, 24 if k % 4 != 3 else 17)
        found = [run.step(x[rows], t[rows]) for run in (plain, fast)]
        agree([found[0]["loss"].item()], [found[1]["loss"].item()])
        np.testing.assert_array_equal(found[0]["best"].numpy(), found[1]["best"].numpy())
    agree(plain.seen(), fast.seen())
    assert fast.step.reasons() == []


def test_dropout_draws_what_it_draws():
    x, t = data()
    losses = []
    for compiled in (False, True):
        run = Training(RULES["Adam"], compiled, dropout=0.5)
        ag.random.seed(5)
        losses.append([run.step(x, t)["loss"].item() for _ in range(6)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_settings_states_and_modes_may_change_between_steps():
    x, t = data()
    plain, fast = Training(RULES["Adam"], False), Training(RULES["Adam"], True)
    for run in (plain, fast):
        for k in range(12):
            if k == 4:
                run.optimizer.param_groups[0]["lr"] = 0.05
            if k == 6:
                stored = run.optimizer.state_dict()
            if k == 8:
                run.optimizer.load_state_dict(stored)
            if k == 10:
                run.model.eval()
            run.step(x, t)
    agree(plain.seen(), fast.seen())
    assert fast.step.reasons() == []


def test_what_somebody_holds_is_not_written_over():
    x, t = data()
    run = Training(RULES["Adam"], True)
    for _ in range(6):
        run.step(x, t)
    weight = run.model.parameters().__iter__().__next__()
    held = [weight.numpy(), weight.grad, weight.grad.numpy(), run.step(x, t)["loss"]]
    before = [np.array(ag.asarray(h).numpy()) for h in held]
    for _ in range(3):
        run.step(x, t)
    for now, then in zip(held, before, strict=True):
        np.testing.assert_array_equal(ag.asarray(now).numpy(), then)
    assert not np.array_equal(weight.numpy(), before[0])
    assert not np.array_equal(weight.grad.numpy(), before[2])


def test_a_parameter_given_other_values_is_read_anew():
    x, t = data()
    runs = [Training(RULES["SGD"], compiled) for compiled in (False, True)]
    for run in runs:
        for k in range(6):
            if k == 4:
                run.model.load_state_dict(
                    {k: v.numpy() * (0.5 if v.dtype == np.float32 else 1) for k, v in run.model.state_dict().items()}
                )
            run.step(x, t)
    agree(*(run.seen() for run in runs))


def test_gradients_add_up_where_the_function_adds_them():
    w = ag.tensor([1.0, 2.0], requires_grad=True)

    def twice(x):
        w.grad = None
        ag.sum(w * x).backward()
        ag.sum(w * w * x).backward()
        return w.grad * 2.0

    compiled = ag.compile(twice)
    for x in (ag.tensor([1.0, 2.0]), ag.tensor([3.0, -1.0])):
        expected = twice(x).numpy()
        np.testing.assert_array_equal(compiled(x).numpy(), expected)
        np.testing.assert_array_equal(w.grad.numpy(), expected / 2)
    assert compiled.reasons() == []


def test_gradients_from_before_are_not_lost():
    w = ag.tensor(2.0, requires_grad=True)
    step, held = ag.compile(lambda x: (w * x).backward()), []
    for k in range(1, 6):
        step(ag.tensor(3.0))
        assert w.grad.item() == 3.0 * k
        held.append(w.grad)
    assert [g.item() for g in held] == [3.0, 6.0, 9.0, 12.0, 15.0]
    assert step.reasons() == []


def test_steps_written_by_hand():
    x, t = data()
    ends = []
    for compiled in (False, True):
        w = ag.tensor(np.zeros((9, 4), "float32"), requires_grad=True)

        def step(x, t, w=w):
            w.grad = None
            loss = F.cross_entropy(x @ w, t)
            loss.backward()
            with ag.no_grad():
                w -= 0.5 * w.grad
            return loss

        run = ag.compile(step) if compiled else step
        for _ in range(5):
            run(ag.tensor(x), t)
        ends.append(w.numpy())
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-4, atol=1e-6)


def test_kernels_off():
    x, t = data()
    before, config.kernels = config.kernels, False
    try:
        run = Training(RULES["SGD"], True)
        run.step(x, t)
        assert run.step.programs == {}
    finally:
        config.kernels = before


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf")])
@pytest.mark.parametrize("limit", [0.05, 1e6])
def test_clipping_inside(norm_type, limit):
    x, t = data()
    norms, seen = [], []
    for compiled in (False, True):
        run = Training(RULES["SGD"], False)

        def step(x, t, run=run):
            run.optimizer.zero_grad()
            loss = F.cross_entropy(run.model(x), t)
            loss.backward()
            norm = optim.clip_grad_norm_(run.model.parameters(), limit, norm_type, error_if_nonfinite=True)
            optim.clip_grad_value_(run.model.parameters(), 0.01)
            run.optimizer.step()
            return norm

        step = ag.compile(step) if compiled else step
        norms.append([step(x, t).item() for _ in range(5)])
        seen.append(run.seen())
        if compiled:
            assert step.reasons() == []
            assert step.programs
            with pytest.raises(DataError, match="norm of the gradients is nan"):
                step(np.full_like(x, np.nan), t)
            agree([p.numpy() for p in run.model.parameters()], seen[-1][:5])  # as before
    np.testing.assert_allclose(norms[1], norms[0], rtol=1e-4)
    agree(*seen)


@pytest.mark.parametrize("decay", [None, 0.9])
def test_averages_of_weights_inside(decay):
    x, t = data()
    found = []
    for compiled in (False, True):
        run = Training(RULES["Adam"], False)
        average = optim.WeightAverage(run.model.parameters(), decay)

        def step(x, t, run=run, average=average):
            run.one(x, t)
            average.update()

        step = ag.compile(step) if compiled else step
        for k in range(9):
            step(x, t)
            if k == 4:
                stored = average.state_dict()
            if k == 6:
                average.load_state_dict(stored)
        assert average.n_averaged == 7
        found.append([a.numpy() for a in average.averages] + run.seen())
        if compiled:
            assert step.reasons() == []
            assert step.programs
            with average.swap(), pytest.raises(ArgumentError, match="inside `with average"):
                step(x, t)
    agree(*found)


def penalised(w, b, x):
    slope = ag.grad(lambda z: ag.sum(ag.tanh(z @ w) + b))(x)  # a gradient inside of what is differentiated
    return ag.mean((x @ w + b) ** 2) + 0.1 * ag.sum(slope * slope)


def norms_of_slopes(w, b, x):
    y, pull = ag.vjp(lambda z: ag.tanh(z @ w), x)
    return ag.sum(pull(y)[0] ** 2) + ag.sum(b) * 2.0


def confusable(w, b, x):
    """Two variables with the same value, one inside of the other's gradient."""
    return ag.grad(lambda p: ag.grad(lambda q: ag.sum(p * q * q) + ag.sum(b * w * w * q))(w)[0])(w)[1] * 3.0


TRANSFORMS = {
    "value_and_grad": lambda w, b, x: ag.value_and_grad(penalised, (0, 1))(w, b, x),
    "grad": lambda w, b, x: ag.grad(norms_of_slopes)(w, b, x),
    "of containers": lambda w, b, x: ag.grad(lambda p, x: penalised(p["w"], p["b"], x))({"w": w, "b": b}, x),
    "aux": lambda w, b, x: ag.value_and_grad(lambda w: (ag.sum(w * b), x @ w), has_aux=True)(w),
    "twice": lambda w, b, x: ag.grad(lambda w: ag.sum(ag.grad(penalised)(w, b, x) ** 2))(w),
    "unused": lambda w, b, x: ag.grad(lambda w, b: ag.sum(w * x[0]), argnums=(0, 1))(w, b),
    "alike": lambda w, b, x: confusable(w, b, x) + x[0, 0],
    "vjp": lambda w, b, x: ag.vjp(lambda w: ag.tanh(x @ w) + b, w)[1](x[:, 0]),
    "off the tape": ag.no_grad()(lambda w, b, x: ag.value_and_grad(penalised)(w, b, x)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_inside(name):
    rng = np.random.default_rng(0)
    f, compiled = TRANSFORMS[name], ag.compile(TRANSFORMS[name])
    for _ in range(2):
        w, b, x = (ag.tensor(rng.standard_normal(shape)) for shape in ((5,), (), (3, 5)))
        expected, found = ag.tree.flatten(f(w, b, x))[0], ag.tree.flatten(compiled(w, b, x))[0]
        assert compiled.reasons() == []
        for a, c in zip(expected, found, strict=True):
            np.testing.assert_allclose(c.numpy(), a.numpy(), rtol=1e-10, atol=1e-12)


def test_gradients_by_tensors_inside():
    w = ag.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        loss = ag.sum(w * w * x)
        (g,) = ag.grad(loss, w, create_graph=True)
        (ag.sum(g * g) + loss).backward()  # d/dw: 8 w x^2 + 2 w x
        out = w.grad
        w.grad = None
        return out, g.detach()

    compiled = ag.compile(step)
    for x in ([1.0, 3.0], [0.5, -1.0]):
        expected, found = step(ag.tensor(x)), compiled(ag.tensor(x))
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-12)
    assert compiled.reasons() == []


def test_a_gradient_by_what_was_not_used_inside():
    w, v = (ag.tensor([1.0], requires_grad=True) for _ in range(2))
    compiled = ag.compile(lambda x: ag.grad(ag.sum(w * x), [v]))
    with pytest.raises(DifferentiationError, match="which the outputs were not made of"):
        compiled(ag.tensor([2.0]))
    loose = ag.compile(lambda x: ag.grad(ag.sum(w * x), [w, v], allow_unused=True))
    assert [g.item() for g in loose(ag.tensor([2.0]))] == [2.0, 0.0]


def test_layers_frozen_and_freed():
    x, t = data()
    losses = []
    for compiled in (False, True):
        run = Training(RULES["SGD"], False)
        step = ag.compile(run.one) if compiled else run.one
        losses.append([])
        for k in range(15):
            if k in (5, 10):
                run.model[0].requires_grad_(k == 10)
            losses[-1].append(step(x, t)["loss"].item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    assert step.reasons() == []


def test_steps_of_a_program_share_memory():
    x, t = data(64)
    layers = [layer for _ in range(8) for layer in (nn.Linear(32, 32), nn.Tanh())]
    model = nn.Sequential(nn.Linear(9, 32), *layers, nn.Linear(32, 4))
    step = ag.compile(lambda x, t: F.cross_entropy(model(x), t))
    step(x, t)
    ((run,),) = step.programs.values()
    memory = run.program.memory
    shared = [a for s, a in memory.own.items() if s.op is not None and np.may_share_memory(a, memory.arena)]
    assert sum(a.nbytes for a in shared) > 2 * memory.arena.nbytes > 0


def test_memory_is_flat_over_many_steps():
    x, t = data()
    run = Training(RULES["Adam"], True)
    for _ in range(5):
        run.step(x, t)
    before = sum(map(len, run.step.programs.values()))
    tracemalloc.start()
    sizes = []
    for _ in range(4):
        for _ in range(800):
            run.step(x, t)
        gc.collect()  # the interpreter's own stores of free objects fill up at first
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[-1] - sizes[-2] < 800 * 8  # less than the smallest object for each step
    assert sum(map(len, run.step.programs.values())) == before


def test_a_gradient_function_compiled_by_itself():
    rng = np.random.default_rng(1)
    both = ag.value_and_grad(penalised, (0, 1))
    compiled = ag.compile(both)
    for _ in range(3):
        w, b, x = (ag.tensor(rng.standard_normal(shape)) for shape in ((5,), (), (3, 5)))
        (y, (gw, gb)), (z, (hw, hb)) = both(w, b, x), compiled(w, b, x)
        for a, c in ((y, z), (gw, hw), (gb, hb)):
            np.testing.assert_allclose(c.numpy(), a.numpy(), rtol=1e-10)
            assert not c.requires_grad
    assert compiled.reasons() == []


def test_a_constant_that_python_reads_is_looked_at_again():
    w, scale = ag.tensor([1.0, 2.0], requires_grad=True), ag.tensor(2.0)
    compiled = ag.compile(lambda x: ag.sum(w * x) * float(scale))
    x = ag.tensor([1.0, 1.0])
    assert compiled(x).item() == 6.0
    scale.copy_(ag.tensor(5.0))
    assert compiled(x).item() == 15.0
