"""A checkpointed function: the same gradients from less memory, the same random numbers."""

import gc

import numpy as np
import pytest

import autograd as ag
import nn
import regularize
from autograd.config import config
from autograd.errors import ClobberedError
from autograd.tape import entries

X = np.linspace(0.2, 1.4, 6).reshape(2, 3)


def block(x, scale=1.0):
    return ag.tanh(ag.exp(ag.sin(x) * scale) * x) - ag.mean(x)


kept = ag.checkpoint(block)


def saved_bytes(t):
    arrays = {id(v): v.nbytes for n in entries([t.node]) for v in n.saved if isinstance(v, (np.ndarray, np.generic))}
    return sum(arrays.values())


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_same_derivatives_to_order_four(order):
    def nested(f):
        g = lambda a: ag.sum(f(f(a * X)) ** 2)  # noqa: E731  # the form that users write
        for _ in range(order):
            g = ag.grad(g)
        return float(g(0.7))

    assert nested(kept) == pytest.approx(nested(block), rel=1e-11)


def test_forward_mode_and_jacobians_agree():
    for mode in ("forward", "reverse"):
        ours, plain = (ag.jacobian(ag.jacobian(f, mode=mode), mode=mode)(X).numpy() for f in (kept, block))
        np.testing.assert_allclose(ours, plain, rtol=1e-10, atol=1e-12)
    _, moved = ag.jvp(kept, [X], [X])
    np.testing.assert_allclose(moved.numpy(), ag.jvp(block, [X], [X])[1].numpy(), rtol=1e-13)


def test_fewer_bytes_are_saved_and_fewer_entries():
    def chain(f):
        x = ag.tensor(np.ones((50, 40)), requires_grad=True)
        for _ in range(4):
            x = f(x)
        return ag.sum(x)

    ours, plain = chain(kept), chain(block)
    assert saved_bytes(ours) == 4 * 50 * 40 * 8
    assert saved_bytes(plain) >= 3 * saved_bytes(ours)
    assert [n.op.name for n in entries([ours.node]) if n.op] == ["checkpoint"] * 4 + ["sum"]


def test_closed_over_variables_get_their_gradients():
    w, b = ag.tensor(0.7, requires_grad=True), ag.tensor(X, requires_grad=True)
    h = w * b  # an entry of the outer tape, which f reads together with what it is made of

    def f(x):
        return ag.sin(h * x) * w + ag.exp(b) * h

    got = ag.grad(ag.sum(ag.checkpoint(f)(w * 2.0)), [w, b], retain_graph=True)
    expected = ag.grad(ag.sum(f(w * 2.0)), [w, b], retain_graph=True)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-13)
    first = ag.grad(ag.sum(ag.checkpoint(f)(w * 2.0)), w, create_graph=True)[0]
    plain = ag.grad(ag.sum(f(w * 2.0)), w, create_graph=True)[0]
    for g, e in zip(ag.grad(first, [w, b], retain_graph=True), ag.grad(plain, [w, b]), strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-12)


@pytest.mark.parametrize("own", [True, False])
def test_dropout_is_replayed_and_the_stream_goes_on(own):
    generator = ag.random.Generator(3)
    drop = regularize.Dropout(0.5, generator=generator) if own else regularize.Dropout(0.5)
    ag.random.seed(5)
    source = generator if own else ag.random.default

    def run(f):
        source.set_state(ag.random.Generator(7).get_state())
        x = ag.tensor(np.ones((40, 40)), requires_grad=True)
        y = f(x)
        after = source.random(3).numpy()
        ag.sum(y * y).backward()
        return y.numpy(), x.grad.numpy(), after, source.random(3).numpy()

    f = lambda x: drop(ag.sin(x)) * drop(x) + source.normal(size=(40, 40)) * x  # noqa: E731
    for ours, plain in zip(run(ag.checkpoint(f)), run(f), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_modules_and_containers():
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = ag.tensor(X.astype("float32"), requires_grad=True)

    def f(batch, *, shift):
        y = model(batch["x"][0])
        return {"y": y + shift, "sum": (ag.sum(batch["x"][0]),), "note": "kept", "labels": ag.argmax(y, axis=1)}

    def run(f):
        x.grad = None
        model.zero_grad()
        out = f({"x": [x * 1.0]}, shift=x[0, 0])
        assert (out["note"], out["labels"].dtype, out["y"].dtype) == ("kept", np.int64, np.float32)
        ag.backward(ag.sum(out["y"] ** 2) * out["sum"][0])
        return [x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]

    for ours, plain in zip(run(ag.checkpoint(f)), run(f), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)


def test_results_of_several_dtypes():
    x = ag.tensor(X, requires_grad=True)
    a, b = ag.checkpoint(lambda x: (x * x, ag.sin(x).astype("float32")))(x)
    assert (a.dtype, b.dtype, a.shape) == (np.float64, np.float32, (2, 3))
    ag.backward(ag.sum(a) + ag.sum(b))
    np.testing.assert_allclose(x.grad.numpy(), 2 * X + np.cos(X), rtol=1e-6)


def test_nested_and_fused():
    @ag.fused
    def swish(x):
        return x * ag.sigmoid(x)

    x = np.linspace(-2, 2, 5000)
    inner = ag.checkpoint(lambda x: swish(x) * x)
    outer = ag.checkpoint(lambda x: ag.sum(inner(inner(x))))
    plain = lambda x: ag.sum(swish(swish(x) * x) * (swish(x) * x))  # noqa: E731
    with config.using(kernels=False):
        expected = ag.grad(plain)(x).numpy()
    np.testing.assert_allclose(ag.grad(outer)(x).numpy(), expected, rtol=1e-11, atol=1e-12)


def test_nothing_is_recorded_where_nothing_is_wanted():
    assert not kept(X).requires_grad
    x = ag.tensor(X, requires_grad=True)
    with ag.no_grad():
        assert not kept(x).requires_grad
    y = ag.checkpoint(lambda x: x)(x)
    assert ag.grad(ag.sum(y), x)[0].tolist() == np.ones((2, 3)).tolist()


def test_a_changed_parameter_is_an_error_not_a_wrong_gradient():
    w = ag.tensor(2.0, requires_grad=True)
    y = ag.checkpoint(lambda x: ag.sin(w * x))(ag.tensor(1.0, requires_grad=True))
    with ag.no_grad():
        w += 1.0
    with pytest.raises(ClobberedError, match="'checkpoint' saved its input 1"):
        y.backward()


def test_a_users_array_is_copied():
    x, a = ag.tensor(2.0, requires_grad=True), np.array(3.0)
    y = ag.checkpoint(lambda x, a: x * x * a)(x, a)
    a += 100.0
    assert float(ag.grad(y, x)[0]) == 12.0


def test_no_cycle_is_left():
    gc.collect()
    gc.disable()
    try:
        ag.grad(lambda x: ag.sum(kept(kept(x))))(X)
        before = len(gc.get_objects())
        for _ in range(50):
            ag.grad(lambda x: ag.sum(kept(kept(x))))(X)
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()


def test_a_compiled_function_runs_it_as_it_is():
    x = ag.tensor(X, requires_grad=True)
    step = ag.compile(lambda x: ag.sum(kept(x) ** 2))
    plain = ag.sum(block(x) ** 2)
    assert float(step(x)) == pytest.approx(float(plain), rel=1e-12)
