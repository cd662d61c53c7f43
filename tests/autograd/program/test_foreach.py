"""One rule over many Tensors: the values of one call after another, and nobody else's value changed."""

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import ArgumentError, ClobberedError, ShapeError

RNG = np.random.default_rng(0)
SHAPES = [(3, 4), (5,), (), (1,), (200, 300), (7, 1, 2)]


def momentum(w, m, g, rate, beta):
    m = beta * m + g
    return w - rate * m, m, beta * beta


def columns(dtype="float32"):
    ws = [ag.tensor(RNG.standard_normal(s).astype(dtype), requires_grad=True) for s in SHAPES]
    ms = [ag.tensor(RNG.standard_normal(s).astype(dtype)) for s in SHAPES]
    return ws, ms, [ag.tensor(RNG.standard_normal(s).astype(dtype)) for s in SHAPES]


def copies(*lists):
    return [[t.numpy().copy() for t in column] for column in lists]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernels", [True, False])
def test_every_row_gets_what_the_rule_makes_of_it(dtype, kernels):
    ws, ms, gs = columns(dtype)
    before = copies(ws, ms, gs)
    rule = ag.foreach(momentum)
    with config.using(kernels=kernels):
        for _ in range(3):
            assert rule.update_([ws, ms], [gs], 0.1, 0.5) == (0.25,)
    assert rule.reasons == set()
    for w, m, w0, m0, g in zip(ws, ms, *before, strict=True):
        for _ in range(3):
            m0 = 0.5 * m0 + g
            w0 = w0 - 0.1 * m0
        assert w.dtype == m.dtype == dtype
        np.testing.assert_allclose(w.numpy(), w0, rtol=0, atol=2e-6 if dtype == "float32" else 1e-14)
        np.testing.assert_allclose(m.numpy(), m0, rtol=0, atol=2e-6 if dtype == "float32" else 1e-14)


def test_arrays_that_nobody_else_holds_are_written_over():
    ws, ms, gs = columns()
    rule = ag.foreach(momentum)
    rule.update_([ws, ms], [gs], 0.1, 0.5)
    places = [t.value.ctypes.data for t in ws + ms]
    rule.update_([ws, ms], [gs], 0.1, 0.5)
    assert [t.value.ctypes.data for t in ws + ms] == places


def test_what_somebody_else_holds_is_not_changed():
    ws, ms, gs = columns()
    rule = ag.foreach(momentum)
    rule.update_([ws, ms], [gs], 0.1, 0.5)
    same, view, array = ws[0].detach(), ws[4].numpy()[3:5], ms[1].numpy()
    kept = [same.numpy().copy(), view.copy(), array.copy()]
    after = [w.numpy() - 0.1 * (0.5 * m.numpy() + g.numpy()) for w, m, g in zip(ws, ms, gs, strict=True)]
    rule.update_([ws, ms], [gs], 0.1, 0.5)
    for value, expected in zip([same.numpy(), view, array], kept, strict=True):
        np.testing.assert_array_equal(value, expected)
    for w, expected in zip(ws, after, strict=True):
        np.testing.assert_allclose(w.numpy(), expected, rtol=0, atol=1e-6)


def test_what_the_tape_saved_is_protected():
    w, g = ag.tensor(np.ones(5000), requires_grad=True), ag.tensor(np.ones(5000))
    rule = ag.foreach(lambda w, g, rate: w - rate * g)
    rule.update_([[w]], [[g]], 0.5)
    loss = (w * w).sum()
    rule.update_([[w]], [[g]], 0.5)
    with pytest.raises(ClobberedError, match=r"test_foreach\.py"):
        loss.backward()
    (w * w).sum().backward()
    rule.update_([[w]], [[w.grad]], 0.5)
    np.testing.assert_array_equal(w.numpy(), 0.0)


def test_gradients_of_any_layout_are_read():
    w = ag.tensor(np.zeros((30, 20)))
    g = RNG.standard_normal((20, 30))
    rule = ag.foreach(lambda w, g: w + g)
    rule.update_([[w]], [[ag.tensor(g).T]])
    np.testing.assert_array_equal(w.numpy(), g.T)
    scalar = ag.tensor(1.0)
    rule.update_([[scalar]], [[ag.sum(ag.ones(3))]])
    assert scalar.item() == 4.0


def test_a_new_array_in_a_tensor_is_noticed():
    w, g = ag.tensor(np.zeros(4)), ag.tensor(np.ones(4))
    rule = ag.foreach(lambda w, g: w + g)
    rule.update_([[w]], [[g]])
    old = w.detach()
    w.set_(np.full(4, 10.0))
    rule.update_([[w]], [[g]])
    assert (w.tolist(), old.tolist()) == ([11.0] * 4, [1.0] * 4)


REFUSED = {
    "sums over elements": lambda w, g: w - g / ag.sqrt(ag.sum(g * g)),
    "depends on the size": lambda w, g: w - g * w.size,
    "control flow": lambda w, g: w - g if ag.sum(g) > 0 else w + g,
    "did not compute": lambda w, g: g,
    "sort has no kernel form": lambda w, g: w - ag.sort(g),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_map_runs_row_by_row_and_says_why(words):
    rule = ag.foreach(REFUSED[words])
    w, v, g = RNG.standard_normal(6), RNG.standard_normal((2, 3)), RNG.standard_normal(6)
    ws, gs = [ag.tensor(w), ag.tensor(v)], [ag.tensor(g), ag.tensor(g.reshape(2, 3))]
    expected = [REFUSED[words](ag.tensor(a), b).numpy() for a, b in zip((w, v), gs, strict=True)]
    rule.update_([ws], [gs])
    for t, value in zip(ws, expected, strict=True):
        np.testing.assert_array_equal(t.numpy(), value)
    assert any(words in reason for reason in rule.reasons)


def test_a_rule_may_depend_on_the_rank_and_on_a_key():
    rule = ag.foreach(lambda name: lambda w, g: w - g if w.ndim > 1 or name == "all" else w + g, keyed=True)
    ws, gs = [ag.zeros(3), ag.zeros((2, 2))], [ag.ones(3), ag.ones((2, 2))]
    rule.update_([ws], [gs], key="matrices")
    assert [float(w.sum()) for w in ws] == [3.0, -4.0]
    rule.update_([ws], [gs], key="all")
    assert [float(w.sum()) for w in ws] == [0.0, -8.0]


def test_threads_do_not_change_the_bits():
    results = []
    before = ag.get_num_threads()
    try:
        for threads in (1, 2):
            ag.set_num_threads(threads)
            w, g = ag.tensor(np.linspace(0, 1, 300_001)), ag.tensor(np.linspace(3, 1, 300_001))
            ag.foreach(lambda w, g: ag.tanh(w) - ag.exp(-g) * 0.1).update_([[w]], [[g]])
            results.append(w.numpy())
    finally:
        ag.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_wrong_columns_are_refused():
    rule = ag.foreach(lambda w, g: w + g)
    with pytest.raises(ShapeError, match=r"columns of \[1, 2\] Tensors"):
        rule.update_([[ag.ones(2)]], [[ag.ones(2), ag.ones(2)]])
    w = ag.ones(2)
    with pytest.raises(ArgumentError, match="same Tensor twice"):
        rule.update_([[w, w]], [[ag.ones(2), ag.ones(2)]])


def test_a_dtype_of_another_identity_is_the_same_dtype():
    other = np.dtype("float32").newbyteorder("=")
    assert other is not np.dtype("float32")
    w, g = ag.tensor(0.0), ag.tensor(0.0)
    w.value, g.value = np.ones(5, other), np.ones(5, other)
    rule = ag.foreach(lambda w, g: w + g)
    with config.using(kernels=True):
        rule.update_([[w]], [[g]])
        place = w.value.ctypes.data
        rule.update_([[w]], [[g]])
    assert (w.tolist(), w.value.ctypes.data) == ([3.0] * 5, place)
