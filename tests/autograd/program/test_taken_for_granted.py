"""What a program takes for granted is looked at before each run; what it cannot do is left to the function."""

import threading
from collections.abc import Sequence
from numbers import Number

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.errors import IndexOutOfRange, ShapeError, UnsupportedError

XS = [ag.tensor(x) for x in ([1.0, 2.0], [3.0, -1.0], [0.5, 0.25], [0.5, 0.75], [0.1, 0.2], [-0.3, 0.4])]


def leaf(*values):
    return ag.tensor(list(values), requires_grad=True)


def freeze(w, v, optimizer):
    v.requires_grad_(False)
    v.grad = None


CHANGES = {
    "nothing": lambda w, v, optimizer: None,
    "frozen": freeze,
    "another array": lambda w, v, optimizer: v.set_([7.0, 8.0]),
    "another shape": lambda w, v, optimizer: v.set_([[7.0], [8.0]]),
    "another dtype": lambda w, v, optimizer: v.set_(np.array([7.0, 8.0], np.float32)),
    "a hook": lambda w, v, optimizer: v.register_hook(lambda g: g * 3.0),
    "a group": lambda w, v, optimizer: optimizer.add_param_group({"params": [v], "lr": 0.3}),
    "a parameter more": lambda w, v, optimizer: optimizer.param_groups[0]["params"].append(v),
    "momentum": lambda w, v, optimizer: optimizer.param_groups[0].update(momentum=0.0),
    "an array that somebody holds": lambda w, v, optimizer: HELD.append((w.value, w.grad)),
}
HELD = []


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", [2, 3, 5])
def test_what_changes_between_steps_is_noticed(change, when):
    ends = []
    for wrap in (lambda f: f, ag.compile):
        w, v = leaf(1.0, 2.0), leaf(2.0, 3.0)
        optimizer = optim.SGD([w], lr=0.1, momentum=0.5)

        def step(x, w=w, v=v, optimizer=optimizer):
            optimizer.zero_grad()
            v.grad = None
            loss = ag.sum((w * x) ** 2) + ag.sum(v * v * x)
            loss.backward()
            optimizer.step()
            return loss, w.grad

        run, seen = wrap(step), []
        for k, x in enumerate(XS * 2):
            if k == when:
                CHANGES[change](w, v, optimizer)
            loss, gradient = run(x)
            np.testing.assert_array_equal(gradient.numpy(), w.grad.numpy())
            seen += [
                loss.item(),
                w.tolist(),
                v.tolist(),
                w.grad.tolist(),
                v.grad if v.grad is None else v.grad.tolist(),
            ]
        ends.append(seen)
    for fast, plain in zip(*reversed(ends), strict=True):
        assert fast is plain is None or np.allclose(fast, plain, rtol=1e-5 if change == "another dtype" else 1e-12)


def test_a_leaf_changed_before_its_gradient():
    for compiled in (False, True):
        w = leaf(1.0, 2.0)

        def f(x, w=w):
            loss = ag.sum(w + x)
            with ag.no_grad():
                w.copy_(w * 0.5)
            loss.backward()
            return loss

        run = ag.compile(f) if compiled else f
        run(XS[0])
        np.testing.assert_array_equal(w.grad.numpy(), [1.0, 1.0])
        np.testing.assert_array_equal(w.numpy(), [0.5, 1.0])
    assert run.reasons() == ["it changes a Tensor in place between its use and the gradient by it"]


def test_a_leaf_changed_before_it_is_used():
    ends = []
    for wrap in (lambda f: f, ag.compile):
        w = leaf(1.0, 2.0)

        def f(x, w=w):
            with ag.no_grad():
                w.copy_(w * 0.5)
            return ag.sum(w * w * x)

        run = wrap(f)
        for x in XS[:3]:
            run(x).backward()
        ends.append([w.tolist(), w.grad.tolist()])
    assert ends[0] == ends[1]
    assert run.reasons() == []


def test_a_tensor_that_is_an_argument_and_read_besides():
    w = leaf(1.0, 2.0)
    ag.compile(lambda x: ag.sum(x * w))(w).backward()
    np.testing.assert_array_equal(w.grad.numpy(), [2.0, 4.0])


def test_functions_of_numpy_and_arrays_beside_values():
    w, mask = leaf(1.0, 2.0), np.array([1.0, 0.0])
    f = lambda x: ag.sum(np.exp(mask * w) * mask + np.float64(2) * x)  # noqa: E731
    compiled = ag.compile(f)
    assert compiled(XS[0]).item() == f(XS[0]).item()
    assert compiled.reasons() == []


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda w: ag.sum(w) * np.bincount([1, 2]).sum() * np.digitize(w, [0.0]).sum(), "np.digitize on a value"),
        (lambda w: ag.sum(w) * sum(np.array(w)), "NumPy array"),
        (lambda w: ag.sum(w) * "x".count(w), "TypeError on symbols"),
    ],
)
def test_what_numpy_and_python_make_of_values(f, reason):
    compiled = ag.compile(lambda w: f(w))
    try:
        expected = f(XS[0]).item()
    except Exception as error:
        with pytest.raises(type(error)):
            compiled(XS[0])
        return
    assert compiled(XS[0]).item() == expected
    assert any(reason in r for r in compiled.reasons())


def test_a_wrong_call_is_not_remembered():
    w, wrong = leaf(1.0, 2.0), [True]

    def f(x):
        if wrong[0]:
            raise ValueError("not now")
        return ag.sum(w * x)

    compiled = ag.compile(f)
    with pytest.raises(ValueError, match="not now"):
        compiled(XS[0])
    wrong[0] = False
    assert compiled(XS[0]).item() == 5.0
    assert compiled.reasons() == []


def test_numbers_that_python_computes_of_arrays():
    """A sum over what sums down columns have left, where memory is shared."""
    w, v = ag.tensor(np.ones(700), requires_grad=True), leaf(1.0, 2.0)

    def f(x):
        w.grad = v.grad = None
        loss = ag.mean(ag.tanh(x * w + ag.sum(v)) ** 2)
        loss.backward()
        scale = 0.5 / ag.sqrt(ag.sum(w.grad * w.grad) + ag.sum(v.grad * v.grad))
        y = ag.exp(x * 0.1) * ag.cos(x)
        return ag.sum(y, axis=0) * scale + ag.max(y, axis=0), w.grad * scale, v.grad * scale

    compiled, x = ag.compile(f), np.random.default_rng(0).standard_normal((9, 700))
    for fast, plain in zip(compiled(x), f(x), strict=True):
        np.testing.assert_allclose(fast.numpy(), plain.numpy(), rtol=1e-10)
    assert compiled.reasons() == []


def trainer(compiled):
    generator = ag.random.Generator(3)
    parts = [nn.Linear(20, 30, generator=generator), nn.ReLU(), nn.Linear(30, 5, generator=generator)]
    model = nn.Sequential(*parts)
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x, t):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, ag.compile(step) if compiled else step


def batch():
    rng = np.random.default_rng(0)
    return rng.standard_normal((64, 20)).astype("float32"), rng.integers(0, 5, 64)


def test_models_trained_in_threads_at_once():
    curves = {}

    def train(name, compiled):
        *_, step = trainer(compiled)
        curves[name] = [step(*batch()).item() for _ in range(60)]

    threads = [threading.Thread(target=train, args=(k, k > 0)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (1, 2, 3):
        np.testing.assert_allclose(curves[k], curves[0], rtol=1e-3)


@pytest.mark.parametrize("steps", [0, 1, 2, 6])
def test_a_label_that_is_none_changes_nothing(steps):
    model, optimizer, step = trainer(True)
    x, t = batch()
    for _ in range(steps):
        step(x, t)
    before = [p.numpy().copy() for p in model.parameters()]
    moments = [s["exp_avg"].numpy().copy() for s in optimizer.state_dict()["state"].values()]
    moments = moments or [0.0] * len(before)  # as they are made before the first step
    wrong = t.copy()
    wrong[7] = 5
    with pytest.raises(IndexOutOfRange, match="label 5 at position"):
        step(x, wrong)
    for p, value in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.numpy(), value)
    for s, value in zip(optimizer.state_dict()["state"].values(), moments, strict=True):
        np.testing.assert_array_equal(s["exp_avg"].numpy(), value)
    losses = [step(x, t).item() for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert step.reasons() == []


@pytest.mark.parametrize("target", [leaf(0.0, 0.0), ag.tensor([0.0, 0.0])])
def test_copies_of_a_leaf_are_off_the_tape(target):
    w = leaf(1.0, 2.0)
    leaf_before = target.is_leaf, target.requires_grad
    with ag.no_grad():
        target.copy_(w)
    assert (target.is_leaf, target.requires_grad) == leaf_before
    np.testing.assert_array_equal(target.numpy(), [1.0, 2.0])
    ag.sum(w * 3.0).backward()
    assert target.grad is None


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_how_much_is_not_zero_is_not_known_before(dtype):
    compiled = ag.compile(lambda x: ag.nonzero(x)[0])
    for x in ([1.0, 0.0, 2.0], [0.0, 0.0, 2.0]):
        t = ag.tensor(x).astype(dtype)
        np.testing.assert_array_equal(compiled(t).numpy(), np.flatnonzero(x))
    assert "how much that is depends on values" in compiled.reasons()[0]


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("recording", [False, True])
def test_what_is_on_the_tape_is_known_within(wanted, recording):
    w, v, told = leaf(1.0, 2.0), ag.tensor([0.5, 0.5]), []

    def f(x):
        told.append([t.requires_grad for t in (x, x * w, x * v, (x * w).detach(), x > w, ag.no_grad()(ag.exp)(x * w))])
        slope = ag.grad(lambda z: told[-1].append((z * v).requires_grad) or ag.sum(z * z))(x)
        return ag.sum(x * w) if x.requires_grad else ag.sum(x * slope)

    compiled, x = ag.compile(f), leaf(3.0, 4.0).requires_grad_(wanted)
    with ag.enable_grad() if recording else ag.no_grad():
        assert compiled(x).item() == f(x).item()
    assert told[0] == told[1]
    assert compiled.reasons() == []


def caught(x):
    try:
        return ag.sum(x * x) * ag.sum(x).item()
    except Exception:
        return ag.sum(x)


def probed(x):
    return ag.sum(x * (x.numpy() if hasattr(x, "numpy") else 1.0)) * (2.0 if hasattr(x, "unheard_of") else 3.0)


def assigned(x):
    y = x * 2.0
    try:
        y[0] = 5.0
    except TypeError:
        y = x
    return ag.sum(y)


@pytest.mark.parametrize(
    ("f", "reason"), [(caught, "reads .item"), (probed, "reads .numpy"), (assigned, "write y = ag.put")]
)
@pytest.mark.parametrize("wrap", [ag.compile, ag.fused])
def test_a_refusal_is_not_the_functions_to_catch(f, reason, wrap):
    x = ag.tensor(np.arange(1.0, 3001.0))
    run = wrap(lambda x: f(x))
    assert run(x).item() == f(x).item()
    assert any(reason in r for r in run.reasons())


def kinds(x, m, c):
    y, z = x * 2.0, ag.ones(3)
    told = [isinstance(v, ag.Tensor) for v in (x, y, z, ag.random.normal(size=3), m * x, W, c)]
    told += [isinstance(m, np.ndarray), isinstance(c, float), isinstance(c, Number), isinstance(y, (list, Sequence))]
    match y:
        case ag.Tensor():
            told.append(True)
    SEEN.append(told)
    return ag.sum(y * m * c + W) if isinstance(x, ag.Tensor) else -ag.sum(y)


W, SEEN = leaf(1.0, 2.0, 3.0), []


def test_a_value_is_what_it_stands_for():
    x, m = ag.tensor([1.0, 2.0, 3.0]), np.ones(3)
    compiled = ag.compile(kinds)
    assert compiled(x, m, 2.0).item() == kinds(x, m, 2.0).item()
    assert SEEN[0] == SEEN[1]
    assert compiled.reasons() == []


@pytest.mark.parametrize("wrap", [ag.compile, ag.fused])
def test_what_is_made_of_arrays_may_be_of_several_types(wrap):
    f = lambda x: ag.sum(x) if isinstance(x * 2.0, np.ndarray) else -ag.sum(x)  # noqa: E731
    run, x = wrap(lambda x: f(x)), np.ones(3000)
    assert (run(x).item(), run(ag.tensor(x)).item()) == (3000.0, -3000.0)
    assert "it asks for the type of" in run.reasons()[0]


def test_products_of_half_precision():
    x = ag.tensor(np.random.default_rng(0).standard_normal((40, 50)).astype("float16"))
    compiled = ag.compile(lambda x: x @ x.T + 1)
    np.testing.assert_array_equal(compiled(x).numpy(), (x @ x.T + 1).numpy())
    assert compiled.reasons() == []


@pytest.mark.parametrize("given", [{1, 2}, bytearray(b"ab")])
def test_arguments_that_cannot_be_told_from_others(given):
    compiled = ag.compile(lambda x, c, scale=1.0: ag.sum(x) * len(c) * scale)
    assert [compiled(XS[0], c).item() for c in (given, given, type(given)())] == [6.0, 6.0, 0.0]
    assert compiled.reasons() == [
        f"it is given a {type(given).__name__}, which cannot be told from another: write a tuple"
    ]
    with pytest.raises(UnsupportedError, match="cannot be told from another"):
        ag.compile(lambda x, c: ag.sum(x) * len(c), fit_in="1GB")(XS[0], given)


WHOLE = {
    "rows": lambda x: ag.max(x, axis=1) + 1,
    "all": lambda x: ag.min(x) * 2,
    "columns": lambda x: ag.sum(ag.max(x, axis=0, keepdims=True) * 1.5),
    "where": lambda x: x == ag.max(x, axis=1, keepdims=True),
}


@pytest.mark.parametrize("wrap", [ag.compile, ag.fused])
@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
@pytest.mark.parametrize("name", WHOLE)
def test_extremes_of_whole_numbers(name, dtype, wrap):
    f, x = WHOLE[name], ag.tensor(np.arange(-60.0, 2940.0).reshape(60, 50) % 91).astype(dtype)
    run, expected = wrap(lambda x: f(x)), f(x)
    found = run(x)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert run.reasons() == ([] if wrap is ag.compile else run.reasons()[:1])


@pytest.mark.parametrize("f", [ag.logsumexp, ag.softmax, ag.sum, ag.prod, ag.var], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0,)])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("wrap", [ag.compile, ag.fused])
def test_nothing_comes_to_what_it_comes_to(f, shape, axis, wrap):
    ends = []
    for call in (lambda f: f, wrap):
        x, run = ag.zeros(shape, requires_grad=True), call(lambda x: f(x, axis=axis) * 2.0)
        try:
            y = run(x)
            ends.append((y.shape, y.tolist(), ag.grad(ag.sum(y), x)[0].tolist()))
        except ShapeError as error:
            ends.append(str(error))
    assert repr(ends[0]) == repr(ends[1])


@pytest.mark.parametrize("name", ["inv", "cholesky", "solve", "slogdet"])
def test_factors_of_matrices_that_zeros_have_not(name):
    def f(x, y):
        found = getattr(ag, name)(x @ x.T + ag.eye(4), *([y] if name == "solve" else []))
        return ag.sum(found[1] if name == "slogdet" else found)

    g = ag.compile(f)
    for k in range(2):
        x, y = (ag.tensor(np.random.default_rng(k + n).standard_normal((4, 4 - n))) for n in range(2))
        np.testing.assert_allclose(g(x, y).numpy(), f(x, y).numpy(), rtol=1e-12)
        np.testing.assert_allclose(ag.grad(g)(x, y).numpy(), ag.grad(f)(x, y).numpy(), rtol=1e-10, atol=1e-12)
    assert g.reasons() == []
