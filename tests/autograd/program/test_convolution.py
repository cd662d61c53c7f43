"""Convolutions are recognised however they are written, with the composition's derivatives; what is none is not."""

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import ShapeError
from autograd.program.convolution import Convolution
from autograd.program.fused import Fused

RNG = np.random.default_rng(0)
TOLERANCE = {"float64": 1e-12, "float32": 3e-5}


def pairs(around):
    return [(0, 0), (0, 0), *around]


def by_rows(x, w, *bias, stride=(1, 1), around=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """Channels last, one product of rows, for one group; a batch of products for several."""
    outputs, share, *kernel = w.shape
    last = ag.pad(ag.permute_dims(x, (0, 2, 3, 1)), [(0, 0), *around, (0, 0)])
    windows = ag.window(last, kernel, axes=(1, 2), stride=stride, dilation=dilation)
    n, high, wide = windows.shape[:3]
    parts = ag.reshape(windows, (n * high * wide, groups, share, *kernel))
    parts = ag.reshape(ag.permute_dims(parts, (1, 0, 3, 4, 2)), (groups, n * high * wide, -1))
    kernels = ag.permute_dims(ag.reshape(w, (groups, -1, share, *kernel)), (0, 3, 4, 2, 1))
    y = parts @ ag.reshape(kernels, (groups, -1, outputs // groups))
    y = ag.reshape(ag.permute_dims(y, (1, 0, 2)), (n, high, wide, outputs))
    return ag.permute_dims(y + bias[0] if bias else y, (0, 3, 1, 2))


def by_columns(x, w, *bias, stride=(1, 1), around=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """Channels first: for each image and group the weights, as a matrix, times columns of windows."""
    outputs, share, *kernel = w.shape
    windows = ag.window(ag.pad(x, pairs(around)), kernel, axes=(2, 3), stride=stride, dilation=dilation)
    n, _, high, wide = windows.shape[:4]
    columns = ag.permute_dims(ag.reshape(windows, (n, groups, share, high, wide, *kernel)), (0, 1, 2, 5, 6, 3, 4))
    y = ag.reshape(w, (groups, outputs // groups, -1)) @ ag.reshape(columns, (n, groups, -1, high * wide))
    y = ag.reshape(y, (n, outputs, high, wide))
    return y + ag.reshape(bias[0], (outputs, 1, 1)) if bias else y


def spread(x, w, *bias, lengths, stride=(1, 1), cut=(0, 0), dilation=(1, 1), groups=1):
    """The transpose: each pixel times the weights, added up where its window lies."""
    n, channels, high, wide = x.shape
    _, share, *kernel = w.shape
    rows = ag.permute_dims(ag.reshape(x, (n, groups, -1, high * wide)), (1, 0, 3, 2))
    y = ag.reshape(rows, (groups, -1, channels // groups)) @ ag.reshape(w, (groups, channels // groups, -1))
    y = ag.permute_dims(ag.reshape(y, (groups, n, high, wide, share, *kernel)), (1, 0, 4, 2, 3, 5, 6))
    whole = [(a - 1) * s + d * (k - 1) + 1 for a, s, d, k in zip((high, wide), stride, dilation, kernel, strict=True)]
    y = ag.reshape(y, (n, groups * share, high, wide, *kernel))
    y = ag.fold(y, (n, groups * share, *whole), axes=(2, 3), stride=stride, dilation=dilation)
    missing = [(0, max(0, c + length - have)) for c, length, have in zip(cut, lengths, whole, strict=True)]
    y = ag.pad(y, [(0, 0), (0, 0), *missing])
    y = y[:, :, cut[0] : cut[0] + lengths[0], cut[1] : cut[1] + lengths[1]]
    return y + ag.reshape(bias[0], (-1, 1, 1)) if bias else y


# shapes of x and w, settings
KINDS = {
    "3x3": ((2, 3, 6, 7), (4, 3, 3, 3), {"around": ((1, 1), (1, 1))}),
    "1x1": ((2, 5, 4, 3), (6, 5, 1, 1), {}),
    "1x1 with a stride": ((2, 5, 5, 4), (6, 5, 1, 1), {"stride": (2, 3)}),
    "uneven": ((2, 3, 9, 8), (4, 3, 3, 2), {"stride": (2, 3), "around": ((1, 0), (2, 1)), "dilation": (2, 1)}),
    "what a stride leaves over": ((2, 3, 10, 11), (4, 3, 2, 3), {"stride": (3, 5)}),
    "groups": ((2, 6, 6, 5), (4, 3, 3, 3), {"around": ((1, 1), (0, 2)), "groups": 2}),
    "depthwise": ((2, 5, 6, 5), (5, 1, 3, 3), {"around": ((1, 1), (1, 1)), "groups": 5}),
    "depthwise with a multiplier": ((2, 3, 6, 5), (6, 1, 2, 3), {"stride": (2, 1), "groups": 3}),
    "one of everything": ((1, 1, 4, 4), (1, 1, 2, 2), {}),
    "one pixel": ((1, 2, 1, 1), (3, 2, 3, 3), {"around": ((1, 1), (1, 1))}),
    "a kernel as large as the image": ((2, 3, 4, 5), (6, 3, 4, 5), {"stride": (2, 2)}),
    "square everywhere": ((3, 3, 3, 3), (3, 3, 3, 3), {"around": ((1, 1), (1, 1))}),
}


def laid_out(x, channels_last):
    return np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1) if channels_last else x


def arrays(x, w, bias, dtype="float64", channels_last=False):
    given = [laid_out(RNG.standard_normal(x).astype(dtype), channels_last), RNG.standard_normal(w).astype(dtype)]
    return [*given, RNG.standard_normal(bias).astype(dtype)] if bias else given


def results(f, given):
    """The value and the gradients of a weighted sum of it."""
    tensors = [ag.tensor(a, requires_grad=True) for a in given]
    y = f(*tensors)
    y.backward(np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype))
    return [y, *(t.grad for t in tensors)]


def check(f, given, dtype="float64"):
    """A recognised composition against itself without kernels."""
    compiled = Fused(f, smallest=0)
    found = results(compiled, given)
    assert compiled.reasons() == []
    assert {type(plan) for plan in compiled.plans.values()} == {Convolution}
    for a, b in zip(found, results(f, given), strict=True):
        assert (a.shape, a.dtype, a.dtype) == (b.shape, b.dtype, dtype)
        np.testing.assert_allclose(a.value, b.value, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 10)
    return compiled


@pytest.mark.parametrize("way", [by_rows, by_columns])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("x", "w", "options"), KINDS.values(), ids=KINDS)
def test_every_kind(x, w, options, dtype, channels_last, way):
    for bias in (0, w[0]):
        check(lambda *args: way(*args, **options), arrays(x, w, bias, dtype, channels_last), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize(("x", "w", "options"), KINDS.values(), ids=KINDS)
def test_every_transpose(x, w, options, extra, dtype):
    """From images like a convolution's results to images like its arguments, with what a stride left over."""
    options = dict(options)
    around, stride = options.pop("around", ((0, 0), (0, 0))), options.get("stride", (1, 1))
    dilation = options.get("dilation", (1, 1))
    along = zip(x[2:], around, w[2:], stride, dilation, strict=True)
    counts = [(n + sum(p) - d * (k - 1) - 1) // s + 1 for n, p, k, s, d in along]
    options |= {"cut": (around[0][0], around[1][0]), "lengths": (x[2] + extra, x[3])}
    for bias in (0, x[1]):
        given = arrays((x[0], w[0], *counts), w, bias, dtype)
        check(lambda *args: spread(*args, **options), given, dtype)


@pytest.mark.parametrize("kind", ["uneven", "groups", "depthwise"])
def test_second_order(kind):
    x, w, options = KINDS[kind]
    compiled = Fused(lambda *args: by_rows(*args, **options), smallest=0)
    given = arrays((*x[:2], 5, 5), w, w[0])
    assert ag.gradcheck(compiled, given)
    assert ag.gradgradcheck(compiled, given, rtol=1e-3, atol=1e-5)
    assert compiled.reasons() == []


def test_signals_are_images_of_height_one():
    def signals(x, w, b):
        windows = ag.window(ag.pad(x, ((0, 0), (0, 0), (2, 1))), w.shape[2], axes=(2,), stride=2)
        return ag.permute_dims(ag.tensordot(windows, w, ([1, 3], [1, 2])) + b, (0, 2, 1))

    check(signals, arrays((2, 3, 9), (4, 3, 3), 4))
    check(signals, arrays((1, 1, 9), (1, 1, 3), 1))


def test_parts_of_images():
    """An image may be cut before: that is padding below zero."""
    check(lambda x, w: by_rows(x[:, :, 2:-1, 1::1], w, stride=(2, 1)), arrays((2, 3, 11, 8), (4, 3, 3, 2), 0))
    check(lambda x, w: by_columns(x[:, :, :, :5], w), arrays((2, 3, 6, 8), (4, 3, 3, 2), 0))


def test_only_what_is_asked_for_is_computed(monkeypatch):
    compiled = Fused(lambda x, w: by_rows(x, w), smallest=0)
    x, w = arrays((2, 3, 6, 7), (4, 3, 3, 3), 0)
    kernels = compiled.plan([x, w], {}).kernels
    called = []

    def watch(name):
        own = getattr(kernels, name)
        monkeypatch.setattr(kernels, name, lambda *args, **settings: (called.append(name), own(*args, **settings))[1])

    watch("input_gradient")
    watch("weight_gradient")
    compiled(x, ag.tensor(w, requires_grad=True)).sum().backward()
    assert called == ["weight_gradient"]
    compiled(ag.tensor(x, requires_grad=True), w).sum().backward()
    assert called == ["weight_gradient", "input_gradient"]


def test_bits_do_not_depend_on_the_number_of_threads():
    given = arrays((8, 16, 20, 21), (24, 16, 3, 3), 24, "float32")
    before, found = ag.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            ag.set_num_threads(threads)
            compiled = Fused(lambda *args: by_rows(*args, around=((1, 1), (1, 1))), smallest=0)
            found.append(results(compiled, given))
    finally:
        ag.set_num_threads(before)
    for one, other in itertools.pairwise(found):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.value, b.value)


def test_kernels_can_be_turned_off():
    compiled = Fused(by_rows, smallest=0)
    with config.using(kernels=False):
        compiled(*arrays((2, 3, 6, 7), (4, 3, 3, 3), 0))
    assert compiled.plans == {}


def test_explain_says_what_runs():
    given = [ag.asarray(a) for a in arrays((2, 6, 6, 7), (4, 3, 3, 2), 4)]
    text = ag.explain(lambda *args: by_rows(*args, stride=(2, 1), around=((1, 0), (0, 0)), groups=2), *given)
    assert text.splitlines() == [
        "convolution: windows of x0 (2, 6, 6, 7) times x1 (4, 3, 3, 2), plus x2 for each channel: (2, 4, 3, 6) float64",
        "  stride (2, 1), padding ((1, 0), (0, 0)), dilation (1, 1), groups 2",
        "forward: forward of kernels.convolve",
        "backward: input_gradient for x0, weight_gradient for x1, a sum over pixels for x2",
    ]
    text = ag.explain(lambda x, w: spread(x, w, lengths=(8, 8)), *arrays((2, 3, 6, 6), (3, 4, 3, 3), 0))
    assert text.startswith("transposed convolution: windows of x0 (2, 3, 6, 6) times x1 (3, 4, 3, 3): (2, 4, 8, 8)")
    assert "forward: input_gradient" in text


# ---- what is no convolution

SAME = {"around": ((1, 1), (1, 1))}
X, W, B = (3, 3, 3, 3), (3, 3, 3, 3), (3,)  # all axes of one length, so that only their order tells them apart
TURNS = [order for order in itertools.permutations(range(4)) if order != (0, 1, 2, 3)]
REFUSED = {
    "windows over other axes": lambda x, w: _windows_over(x, w, (0, 1)),
    "windows over one axis of two": lambda x, w: _windows_over(x, w, (2, 1)),
    "another value around": lambda x, w: by_rows(ag.pad(x, pairs(((1, 1), (1, 1))), constant_values=1.0), w),
    "channels padded": lambda x, w: by_rows(
        ag.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0)]), ag.pad(w, [(0, 0), (1, 1), (0, 0), (0, 0)])
    ),
    "weights padded": lambda x, w: by_rows(x, ag.pad(w, [(0, 0), (0, 0), (1, 1), (1, 1)]), around=((1, 1), (1, 1))),
    "half of the batch": lambda x, w: by_rows(x[:2], w),
    "a part of the weights": lambda x, w: by_rows(x, w[:, :, :2]),
    "weights backwards": lambda x, w: by_rows(x, ag.flip(w, (2, 3)), **SAME),
    "an activation after it": lambda x, w: ag.relu(by_rows(x, w, **SAME)),
    "an activation before it": lambda x, w: by_rows(ag.relu(x), w, **SAME),
    "twice": lambda x, w: by_rows(by_rows(x, w, **SAME), w, **SAME),
    "added to itself": lambda x, w: by_rows(x, w, **SAME) + by_rows(x, w, **SAME),
    "added to its argument": lambda x, w: by_rows(x, w, **SAME) + x,
    "with itself": lambda x, w: by_rows(x, x, **SAME),
    "a factor": lambda x, w: 2.0 * by_rows(x, w, **SAME),
    "padded afterwards": lambda x, w: ag.pad(by_rows(x, w), 1),
    "cut afterwards": lambda x, w: by_rows(x, w, **SAME)[:, :2],
    "every second output": lambda x, w: by_rows(x, w, **SAME)[:, ::2],
    "the transpose padded after it was cut": lambda x, w: ag.pad(
        spread(x, w, lengths=(3, 3), cut=(1, 1)), pairs(((1, 1), (1, 1)))
    ),
    "another image": lambda x, w: by_rows(_moved(x, 0), w, **SAME),
    "another channel": lambda x, w: by_rows(_moved(x, 1), w, **SAME),
    "another output": lambda x, w: by_rows(x, _moved(w, 0), **SAME),
    "another tap": lambda x, w: by_rows(x, _moved(w, 2), **SAME),
    "a product of matrices": lambda x, w: x @ w,
}


def _moved(x, axis):
    """x[i + 1] along an axis, and zero at its end."""
    widths = [(0, 1) if k == axis else (0, 0) for k in range(4)]
    return ag.pad(x, widths)[(slice(None),) * axis + (slice(1, None),)]


def _windows_over(x, w, axes):
    windows = ag.window(x, 2, axes=axes)
    return ag.tensordot(windows, w[:, :2, :2, :2], ([1, 4, 5], [1, 2, 3]))


@pytest.mark.parametrize("order", TURNS)
def test_turned_arguments_and_results_do_not_match(order):
    turns = [
        lambda x, w: by_rows(ag.permute_dims(x, order), w, **SAME),
        lambda x, w: by_rows(x, ag.permute_dims(w, order), **SAME),
        lambda x, w: ag.permute_dims(by_rows(x, w, **SAME), order),
    ]
    given, plain = arrays(X, W, 0), []
    for f in turns:
        compiled = Fused(f, smallest=0)
        for a, b in zip(results(compiled, given), results(f, given), strict=True):
            np.testing.assert_allclose(a.value, b.value, rtol=1e-12, atol=1e-12)
        plain += compiled.reasons()
    assert len(plain) == 3


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_is_no_convolution_runs_as_the_composition(f):
    given = arrays(X, W, 0)
    compiled = Fused(f, smallest=0)
    for a, b in zip(results_or_none(compiled, given), results_or_none(f, given), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(compiled.reasons()) == 1


def results_or_none(f, given):
    """The value, and the gradients that there are."""
    tensors = [ag.tensor(a, requires_grad=True) for a in given]
    y = f(*tensors)
    y.sum().backward()
    return [y.value, *(t.grad.value for t in tensors if t.grad is not None)]


def test_groups_that_take_turns_are_no_groups():
    """Output o sees the channels of group o % 2, not of group o // 2."""

    def turned(a, axis):
        shape = (*a.shape[:axis], 2, 2, *a.shape[axis + 1 :])
        return ag.reshape(ag.swapaxes(ag.reshape(a, shape), axis, axis + 1), a.shape)

    given = arrays((2, 4, 5, 6), (4, 2, 3, 3), 0)
    check(lambda x, w: turned(turned(by_rows(x, w, groups=2), 1), 1), given)
    compiled = Fused(lambda x, w: turned(by_rows(x, turned(w, 0), groups=2), 1), smallest=0)
    expected = turned(by_rows(given[0], turned(given[1], 0), groups=2), 1)
    np.testing.assert_array_equal(compiled(*given), expected)
    assert "not that of a convolution" in compiled.reasons()[0]


def test_an_axis_that_was_cut_to_nothing_is_not_forgotten():
    def nothing(x, w):
        y = ag.pad(spread(x, w, lengths=(1, 4)), [(0, 0), (0, 0), (0, 1), (0, 0)])[:, :, 1:]
        return ag.expand_dims(ag.squeeze(y, 2), 2)

    given = arrays((2, 3, 1, 3), (3, 4, 1, 2), 0)
    compiled = Fused(nothing, smallest=0)
    assert not compiled(*given).any()
    assert len(compiled.reasons()) == 1


BIASES = {
    "for each image": lambda x, w, b: by_rows(x, w, **SAME) + ag.reshape(b, (3, 1, 1, 1)),
    "for each column": lambda x, w, b: by_rows(x, w, **SAME) + b,
    "twice": lambda x, w, b: by_rows(x, w, b, **SAME) + ag.reshape(b, (3, 1, 1)),
    "backwards": lambda x, w, b: by_rows(x, w, ag.flip(b), **SAME),
    "padded": lambda x, w, b: by_rows(x, w, ag.pad(b[:2], (0, 1)), **SAME),
    "before it is folded": lambda x, w, b: ag.fold(_taps(x, w) + b, (3, 3, 5, 5), axes=(2, 3)),
}


def _taps(x, w):
    y = ag.reshape(ag.permute_dims(x, (0, 2, 3, 1)), (27, 3)) @ ag.reshape(w, (3, 27))
    return ag.permute_dims(ag.reshape(y, (3, 3, 3, 3, 3, 3)), (0, 3, 1, 2, 4, 5))


@pytest.mark.parametrize("f", BIASES.values(), ids=BIASES)
def test_what_is_no_bias_runs_as_the_composition(f):
    given = arrays(X, W, B)
    compiled = Fused(f, smallest=0)
    for a, b in zip(results_or_none(compiled, given), results_or_none(f, given), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(compiled.reasons()) == 1


def test_a_part_of_a_longer_bias_is_no_bias():
    given = arrays(X, W, 5)
    compiled = Fused(lambda x, w, b: by_rows(x, w, b[:3], **SAME), smallest=0)
    plain = by_rows(given[0], given[1], given[2][:3], **SAME)
    np.testing.assert_array_equal(compiled(*given), plain)
    assert "one number for each output channel" in compiled.reasons()[0]


@pytest.mark.parametrize("shape", [(4,), (4, 1, 1), (1, 4, 1, 1)])
def test_a_bias_of_any_shape(shape):
    given = arrays((2, 3, 6, 7), (4, 3, 3, 3), shape)
    check(lambda x, w, b: by_rows(x, w) + ag.reshape(b, (4, 1, 1)), given)


def test_errors_are_those_of_the_composition():
    compiled = Fused(lambda x, w, b: by_rows(x, w) + b, smallest=0)
    with pytest.raises(ShapeError, match=r"add was given shapes \(2, 4, 4, 5\), \(7,\)"):
        compiled(*map(ag.asarray, arrays((2, 3, 6, 7), (4, 3, 3, 3), 7)))
    assert len(compiled.reasons()) == 1


def test_arguments_that_have_no_kernel():
    x, w = arrays((2, 3, 6, 7), (4, 3, 3, 3), 0)

    def plain(x, w):
        return ag.tensordot(ag.window(x, (3, 3), axes=(2, 3)), w, ([1, 4, 5], [1, 2, 3]))

    for given, words in [
        ((x, w.astype("float32")), "several dtypes"),
        ((np.ones(x.shape, int), np.ones(w.shape, int)), "float32 or float64"),
        ((np.ones((0, 3, 6, 7)), w), "not empty"),
    ]:
        compiled = Fused(plain, smallest=0)
        np.testing.assert_array_equal(compiled(*given), plain(*given))
        assert words in compiled.reasons()[0]


def test_volumes_run_as_the_composition():
    def volumes(x, w):
        return ag.moveaxis(ag.tensordot(ag.window(x, 2, axes=(2, 3, 4)), w, ([1, 5, 6, 7], [1, 2, 3, 4])), -1, 1)

    compiled = Fused(volumes, smallest=0)
    assert compiled(np.ones((1, 2, 3, 3, 3)), np.ones((4, 2, 2, 2, 2))).shape == (1, 4, 2, 2, 2)
    assert "no convolution of signals or images" in compiled.reasons()[0]
