"""Convolution and its transposes: plain NumPy's values on any shape, the same bits with any number of threads."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.kernels import (
    convolve,
    convolve_fold,
    convolve_pixels,
    convolve_planes,
    convolve_plans,
    convolve_rows,
    convolve_source,
    convolve_sums,
    pool,
)

MODULES = (convolve_fold, convolve_pixels, convolve_planes, convolve_rows, convolve_sums)
PLANS = (convolve_plans.forward_plan, convolve_plans.input_plan, convolve_plans.weight_plan)
SETTINGS = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
MACHINES = ["+avx512f", "+avx2,+avx", "+neon", "+sse2"]
TOLERANCE = {np.dtype("f4"): 3e-6, np.dtype("f8"): 1e-14}


def forget():
    """Forget every plan: it was made for another tile or another threshold."""
    for cached in (*PLANS, convolve_rows.images):
        cached.cache_clear()


def reference(x, w, *, stride, padding, dilation, groups):
    """The same sums over windows that NumPy's einsum makes, in float64, and the sums of the products' sizes."""
    x, w = np.pad(x.astype(float), ((0, 0), (0, 0), *padding)), w.astype(float)
    full = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(x, full, axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    n, channels, high, wide = windows.shape[:4]
    windows = windows.reshape(n, groups, channels // groups, *windows.shape[2:])
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    return np.einsum("ngchwij,gocij->ngohw", windows, w, optimize=True).reshape(n, -1, high, wide)


def transposes(x, w, g, options):
    """Gradients of <reference(x, w), g>, which is linear in each, read off one tap at a time."""
    (sy, sx), (dy, dx), groups = options["stride"], options["dilation"], options["groups"]
    (top, bottom), (left, right) = options["padding"]
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (top, bottom), (left, right)))
    split = (padded.shape[0], groups, -1, *padded.shape[2:])
    padded, by_x = padded.reshape(split), np.zeros_like(padded).reshape(split)
    weights = w.astype(float).reshape(groups, -1, *w.shape[1:])
    by_w = np.zeros_like(weights)
    g = g.astype(float).reshape(g.shape[0], groups, -1, *g.shape[2:])
    for i, j in np.ndindex(w.shape[2:]):
        rows = slice(i * dy, i * dy + sy * (g.shape[3] - 1) + 1, sy)
        columns = slice(j * dx, j * dx + sx * (g.shape[4] - 1) + 1, sx)
        by_x[..., rows, columns] += np.einsum("ngohw,goc->ngchw", g, weights[..., i, j], optimize=True)
        by_w[..., i, j] = np.einsum("ngohw,ngchw->goc", g, padded[..., rows, columns], optimize=True)
    by_x = by_x.reshape(x.shape[0], x.shape[1], *by_x.shape[3:])
    return by_x[:, :, top : top + x.shape[2], left : left + x.shape[3]], by_w.reshape(w.shape)


def close(found, expected, dtype, terms):
    assert found.shape == expected.shape
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * max(4, terms) ** 0.5 * 4)


def laid_out(array, layout):
    """The same values, in memory by images, by pixels, or with gaps and backwards."""
    if layout == "pixels":
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if layout == "gaps":
        wide = np.zeros((*array.shape[:3], 2 * array.shape[3]), array.dtype)
        wide[..., ::-2] = array
        return wide[..., ::-2]
    return np.ascontiguousarray(array)


def check(n, c, o, size, kernel, options, dtype=np.float32, layouts=("images", "images", "images"), seed=0):
    """All three maps against the reference, and that they are transposes of each other."""
    rng, dtype, groups = np.random.default_rng(seed), np.dtype(dtype), options["groups"]
    x = laid_out(rng.uniform(-1, 1, (n, c, *size)).astype(dtype), layouts[0])
    w = laid_out(rng.uniform(-1, 1, (o, c // groups, *kernel)).astype(dtype), layouts[1])
    for array in (x, w):
        array.flags.writeable = False
    y = convolve.forward(x, w, **options)
    assert_with_bias(y, lambda **more: convolve.forward(x, w, **options, **more), o, rng)
    close(y, reference(x, w, **options), dtype, c // groups * kernel[0] * kernel[1])
    g = laid_out(rng.uniform(-1, 1, y.shape).astype(dtype), layouts[2])
    g.flags.writeable = False
    by_x, by_w = transposes(x, w, g, options)
    found_x = convolve.input_gradient(g, w, x.shape, **options)
    assert_with_bias(found_x, lambda **more: convolve.input_gradient(g, w, x.shape, **options, **more), c, rng)
    found_w = convolve.weight_gradient(x, g, kernel, **options)
    close(found_x, by_x, dtype, o // groups * kernel[0] * kernel[1])
    close(found_w, by_w, dtype, n * y.shape[2] * y.shape[3])
    if dtype == np.float64:
        products = [np.vdot(y, g), np.vdot(x, found_x), np.vdot(w, found_w)]
        np.testing.assert_allclose(products, products[0], rtol=0, atol=1e-12 * np.abs(y * g).sum() + 1e-12)
    return y, found_x, found_w


def assert_with_bias(y, run, channels, rng):
    """With a bias: the sums and then the bias, also where the memory for it is given."""
    bias = rng.uniform(-1, 1, channels).astype(y.dtype)
    np.testing.assert_array_equal(run(bias=bias), y + bias[:, None, None])
    out = np.full((y.shape[0], *y.shape[2:], y.shape[1]), np.nan, y.dtype)
    found = run(bias=bias, out=out)
    np.testing.assert_array_equal(found, out.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(found, y + bias[:, None, None], rtol=1e-4, atol=1e-4)


@st.composite
def cases(draw):
    def number(low, high):
        return draw(st.integers(low, high))

    kernel = number(1, 5), number(1, 5)
    padding = (number(0, 4), number(0, 4)), (number(0, 4), number(0, 4))
    dilation, stride = (number(1, 3), number(1, 3)), (number(1, 3), number(1, 4))
    least = [
        max(1, d * (k - 1) + 1 - sum(p)) for d, k, p in zip(dilation, kernel, padding, strict=True)
    ]  # a kernel may be larger than the image, not than the padded image
    size = tuple(low + number(0, 17) for low in least)
    groups, c, o = draw(
        st.one_of(
            st.tuples(st.just(1), st.integers(1, 70), st.integers(1, 70)),
            st.integers(2, 40).map(lambda g: (g, g, g)),
            st.tuples(st.integers(2, 4), st.integers(1, 20), st.integers(1, 40)).map(
                lambda v: (v[0], v[0] * v[1], v[0] * v[2])
            ),
        )
    )
    layout = st.sampled_from(["images", "pixels", "gaps"])
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return number(1, 3), c, o, size, kernel, options, dtype, (draw(layout), draw(layout), draw(layout)), number(0, 9)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cases())
def test_any_shape(case):
    check(*case)


KINDS = {
    "1x1": (3, 20, 33, (9, 8), (1, 1), {}),
    "1x1, stride 2": (3, 20, 33, (9, 8), (1, 1), {"stride": (2, 2)}),
    "3x3": (2, 16, 32, (14, 14), (3, 3), {"padding": ((1, 1), (1, 1))}),
    "3x3, stride 2": (2, 40, 48, (15, 13), (3, 3), {"padding": ((1, 1), (1, 1)), "stride": (2, 2)}),
    "5x5, one channel": (5, 1, 6, (28, 28), (5, 5), {"padding": ((2, 2), (2, 2))}),
    "stride beyond the kernel": (2, 10, 12, (11, 12), (2, 1), {"stride": (3, 4)}),
    "more padding than kernel": (2, 33, 4, (5, 6), (2, 2), {"padding": ((4, 3), (0, 5))}),
    "kernel as large as the image": (4, 6, 17, (5, 7), (5, 7), {}),
    "kernel larger than the image": (4, 6, 17, (2, 3), (5, 5), {"padding": ((2, 2), (1, 1))}),
    "depthwise": (2, 40, 40, (9, 11), (3, 3), {"padding": ((1, 0), (0, 1)), "groups": 40}),
    "depthwise, few channels": (2, 3, 3, (9, 11), (5, 9), {"padding": ((4, 4), (4, 4)), "groups": 3}),
    "depthwise with a multiplier": (2, 5, 15, (9, 11), (3, 3), {"groups": 5}),
    "groups": (2, 64, 32, (7, 7), (3, 3), {"padding": ((1, 1), (1, 1)), "groups": 4}),
    "many taps": (1, 33, 5, (20, 21), (11, 9), {"padding": ((5, 5), (4, 4))}),
    "many images": (40, 17, 18, (14, 14), (3, 3), {"padding": ((1, 1), (1, 1))}),
    "many images of few pixels": (64, 33, 34, (7, 7), (3, 3), {"padding": ((1, 1), (1, 1))}),
    "many images, several at once": (40, 16, 18, (16, 15), (3, 3), {"padding": ((1, 1), (1, 1)), "stride": (2, 2)}),
    "many images, depthwise": (40, 17, 17, (14, 14), (3, 3), {"padding": ((1, 1), (1, 1)), "groups": 17}),
    "depthwise, long lines": (3, 20, 20, (9, 33), (3, 5), {"padding": ((1, 1), (2, 3)), "groups": 20}),
    "depthwise, long lines, dilation": (2, 7, 7, (13, 30), (3, 3), {"dilation": (2, 3), "groups": 7}),
    "depthwise with a multiplier, long lines": (2, 5, 10, (3, 33), (3, 3), {"padding": ((1, 1), (1, 1)), "groups": 5}),
    "few outputs": (2, 9, 6, (10, 31), (3, 3), {"padding": ((1, 2), (0, 1))}),
    "few outputs, strides": (2, 9, 5, (21, 61), (3, 5), {"padding": ((1, 1), (3, 2)), "stride": (2, 3)}),
    "few outputs in groups": (
        3,
        12,
        8,
        (9, 16),
        (2, 3),
        {"padding": ((1, 0), (2, 2)), "dilation": (1, 2), "groups": 4},
    ),
    "few lines": (17, 3, 4, (3, 29), (3, 3), {}),
    "few channels": (3, 2, 40, (13, 28), (3, 3), {"padding": ((1, 1), (1, 1))}),
    "few channels, strides": (
        2,
        3,
        20,
        (22, 29),
        (5, 4),
        {"padding": ((2, 1), (0, 3)), "stride": (2, 3), "dilation": (1, 2)},
    ),
    "few channels in groups": (16, 6, 20, (12, 11), (3, 3), {"groups": 2, "stride": (2, 1)}),
    "few channels, many taps": (1, 3, 17, (20, 24), (7, 7), {"padding": ((3, 3), (3, 3)), "stride": (2, 2)}),
}


@pytest.mark.parametrize("layout", ["images", "pixels", "gaps"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kinds(kind, dtype, layout):
    check(*kind[:5], SETTINGS | kind[5], dtype, (layout,) * 3)


@pytest.mark.parametrize("features", MACHINES)
def test_tiles_of_other_machines(features, monkeypatch):
    forget()
    made = convolve_source.shape_for
    for module in MODULES:
        monkeypatch.setattr(module, "shape_for", lambda size: made(size, features))
    kinds = ("3x3, stride 2", "depthwise", "groups", "depthwise, long lines", "few outputs, strides", "few channels")
    for kind, dtype in itertools.product(kinds, (np.float32, np.float64)):
        check(*KINDS[kind][:5], SETTINGS | KINDS[kind][5], dtype)
    forget()


def test_every_machine_has_a_tile():
    found = [convolve_source.shape_for(size, features) for size in (4, 8) for features in [*MACHINES, ""]]
    assert [shape.lanes for shape in found] == [16, 8, 4, 4, 4, 8, 4, 2, 2, 2]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_bits_do_not_depend_on_the_number_of_threads(kind, monkeypatch):
    monkeypatch.setattr(pool, "allowed", lambda: 4)
    for module, name in itertools.product(MODULES, ("SMALL", "MOVED")):
        monkeypatch.setattr(module, name, 0, raising=False)
    forget()
    before, found = pool.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4):
            pool.set_num_threads(threads)
            found.append(check(*kind[:5], SETTINGS | kind[5]))
    finally:
        monkeypatch.undo()
        pool.set_num_threads(before)
        forget()
    for several in found[1:]:
        for one, other in zip(found[0], several, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("n", "c", "o"), [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_nothing(n, c, o):
    x, w, options = np.ones((n, c, 5, 6)), np.ones((o, c, 3, 3)), SETTINGS
    y = convolve.forward(x, w, **options)
    assert y.shape == (n, o, 3, 4)
    assert not y.any()
    assert np.array_equal(convolve.input_gradient(y, w, x.shape, **options), np.zeros(x.shape))
    assert np.array_equal(convolve.weight_gradient(x, y, (3, 3), **options), np.zeros(w.shape))


def test_pixels_that_no_output_reads_have_no_gradient():
    options = SETTINGS | {"stride": (3, 3)}
    found = convolve.input_gradient(np.ones((1, 2, 2, 2)), np.ones((2, 1, 1, 1)), (1, 1, 6, 5), **options)
    expected = np.zeros((6, 5))
    expected[::3, ::3] = 2
    np.testing.assert_array_equal(found[0, 0], expected)


def test_rows_of_channels_are_read_where_they_lie(monkeypatch):
    x = np.ones((2, 4, 5, 40), np.float32).transpose(0, 3, 1, 2)
    copies = []
    run = pool.run
    monkeypatch.setattr(pool, "run", lambda address, *rest: (copies.append(address), run(address, *rest)))
    w = np.ones((8, 40, 3, 3), np.float32)
    convolve.forward(x, w, **SETTINGS)
    convolve.forward(x, w, **SETTINGS | {"padding": ((1, 1), (1, 1))})
    assert convolve_source.kernel("rows", convolve_source.shape_for(4)) not in copies
    assert convolve.channels_last(x) is x


@pytest.mark.parametrize("channels", [1, 3, 8, 21])
def test_channels_last(channels):
    x = np.arange(2.0 * channels * 35).reshape(2, channels, 5, 7)
    found = convolve.channels_last(x)
    np.testing.assert_array_equal(found, x)
    assert channels == 1 or found.strides[1] == 8


def test_nan_and_infinity_reach_only_what_they_should():
    x = np.zeros((1, 17, 8, 8), np.float32)
    x[0, 3, 4, 4] = np.nan
    found = convolve.forward(x, np.ones((5, 17, 3, 3), np.float32), **SETTINGS | {"padding": ((1, 1), (1, 1))})
    assert np.isnan(found[0, :, 3:6, 3:6]).all()
    found[0, :, 3:6, 3:6] = 0
    assert not found.any()


def test_infinity_beyond_a_line_reaches_no_tap_that_does_not_meet_it():
    """Vectors are longer than lines: what they read beyond one counts for nothing, whatever it is."""
    x, g = np.zeros((2, 3, 9, 35), np.float32), np.ones((2, 6, 7, 33), np.float32)
    x[..., -1] = np.inf
    found = convolve.weight_gradient(x, g, (3, 3), **SETTINGS)
    np.testing.assert_array_equal(found[..., :2], 0)
    np.testing.assert_array_equal(found[..., 2], np.inf)


@pytest.mark.parametrize("kind", [(4, 5), (33, 40), (6, 6)])
def test_padding_below_zero_cuts(kind):
    rng, (c, o) = np.random.default_rng(0), kind
    groups = c if c == o else 1
    x, w = rng.uniform(-1, 1, (2, c, 12, 37)), rng.uniform(-1, 1, (o, c // groups, 3, 3))
    cut, options = x[:, :, 2:, :-1], SETTINGS | {"groups": groups}
    less, plain = options | {"padding": ((-2, 1), (1, -1))}, options | {"padding": ((0, 1), (1, 0))}
    y = convolve.forward(x, w, **less)
    np.testing.assert_allclose(y, convolve.forward(cut, w, **plain), rtol=0, atol=1e-14)
    found = convolve.input_gradient(y, w, x.shape, **less)
    expected = np.zeros_like(x)
    expected[:, :, 2:, :-1] = convolve.input_gradient(y, w, cut.shape, **plain)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    found = convolve.weight_gradient(x, y, (3, 3), **less)
    np.testing.assert_allclose(found, convolve.weight_gradient(cut, y, (3, 3), **plain), rtol=0, atol=1e-11)


def plans(n, c, o, size, kernel, options, layout="images"):
    """The kinds of plans of a convolution and its transposes, of float32."""
    options = SETTINGS | options
    x, w = laid_out(np.ones((n, c, *size), "f4"), layout), np.ones((o, c // options["groups"], *kernel), "f4")
    g = laid_out(np.ones(convolve.forward(x, w, **options).shape, "f4"), layout)
    settings = [options[name] for name in ("stride", "padding", "dilation", "groups")]
    return [
        type(convolve_plans.forward_plan(4, x.shape, x.strides, w.shape, *settings, True)).__name__,
        type(convolve_plans.input_plan(4, g.shape, g.strides, w.shape, x.shape, *settings, True)).__name__,
        type(convolve_plans.weight_plan(4, (x.shape, x.strides, g.shape, g.strides), kernel, *settings)).__name__,
    ]


def test_planes_stay_planes_where_few_channels_lie_so(monkeypatch):
    monkeypatch.setattr(convolve_planes, "shape_for", lambda size: convolve_source.shape_for(size, "+avx512f"))
    monkeypatch.setattr(convolve_fold, "shape_for", lambda size: convolve_source.shape_for(size, "+avx512f"))
    forget()
    around = {"padding": ((1, 1), (1, 1))}
    assert plans(2, 20, 20, (30, 30), (3, 3), around | {"groups": 20}) == ["Planes", "Planes", "Taps"]
    assert plans(2, 20, 20, (30, 30), (3, 3), around | {"groups": 20}, "pixels") == ["Sums", "Sums", "Pixels"]
    assert plans(2, 1, 32, (28, 28), (3, 3), around) == ["Sums", "Planes", "Taps"]
    assert plans(2, 3, 64, (40, 40), (7, 7), {"stride": (2, 2)}) == ["Sums", "Fold", "Pixels"]
    assert plans(2, 16, 6, (28, 28), (5, 5), {}) == ["Planes", "Sums", "Taps"]
    assert plans(2, 64, 64, (28, 28), (3, 3), around) == ["Sums", "Sums", "Pixels"]
    forget()


def test_the_cotangent_is_turned_once_for_both_gradients_and_not_for_one():
    rng = np.random.default_rng(0)
    for (c, o), copied in (((32, 40), True), ((1, 32), False)):
        x, w = rng.uniform(-1, 1, (2, c, 12, 30)), rng.uniform(-1, 1, (o, c, 3, 3))
        g = convolve.cotangent(given := rng.uniform(-1, 1, (2, o, 10, 28)), x, w, **SETTINGS)
        assert (g is given) is not copied
        np.testing.assert_array_equal(g, given)
