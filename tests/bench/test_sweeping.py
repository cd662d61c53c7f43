"""Sweeps: what is swept, where threads begin to pay, and what is kept of that."""

import numpy as np
import pytest
import threadpoolctl

import autograd as ag
from autograd.config import config
from autograd.kernels import tuning
from bench import sweeping
from bench.sample import Interval
from bench.sweeping import Point, Swept, crossing, maker, sizes, sweep, tune
from bench.ulp import WrongKernel


@pytest.mark.parametrize(
    ("text", "per_decade", "expected"),
    [
        ("1e3:1e5", 1, [1000, 10_000, 100_000]),
        ("10:1000", 2, [10, 32, 100, 316, 1000]),
        ("4096", 2, [4096]),
        ("1000:2000", 2, [1000, 2000]),
    ],
)
def test_sizes_are_even_on_a_logarithmic_scale(text, per_decade, expected):
    assert sizes(text, per_decade) == expected


def test_arguments_are_made_for_a_size_and_a_dtype():
    shapes = [(x.shape, x.dtype.name) for x in maker(None, ["T[n]", "T[n,64]", "T[3,n]", "int64[n]"])(7, "float64")]
    assert shapes == [((7,), "float64"), ((7, 64), "float64"), ((3, 7), "float64"), ((7,), "int64")]
    assert len(maker(lambda x, y, k=2: None)(7, "float32")) == 2
    assert len(maker(np.add)(7, "float32")) == 2


def points(*words, dtype="float32"):
    sure = Interval(1.0, 1.0, 1.0, 0.95)
    return [Point(dtype, 10**k, t, sure, 8, 1.5, word) for k, word in enumerate(words, 3) for t in (1, 2)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("slower", "no difference", "faster", "faster"), 100_000),
        (("faster", "faster"), 1000),
        (("faster", "slower"), None),
        (("faster", "no difference", "faster"), 100_000),
        (("no difference",), None),
    ],
)
def test_threads_pay_from_where_they_always_do(words, expected):
    assert crossing(points(*words)) == expected


@pytest.fixture
def folder(tmp_path):
    before = config.cache
    config.cache = tmp_path
    yield tmp_path
    config.cache = before


def swept(kind="map", **crossings):
    return Swept("f", kind, points("faster"), crossings, {})


def test_where_threads_pay_is_written_for_the_launcher(folder):
    words = tune(swept(float32=50_000, float64=40_000))
    assert words == f"{folder / 'tuning.json'}: map: threads from 50,000 elements on"
    assert tuning.read() == {"map": 50_000}
    assert tuning.chunks("map") == 7


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (swept(kind="", float32=10), "only the kernels of fused and elementwise functions"),
        (swept(float32=10, float64=None), "threads do not pay at every dtype"),
        (swept(), "threads do not pay"),
    ],
)
def test_nothing_is_written_where_nothing_was_found(folder, found, words):
    assert words in tune(found)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda x: x * 2 + 1, "map"),
        (lambda x: ag.exp(x), "costly map"),
        (lambda x: ag.sum(x * x), "total"),
    ],
)
def test_the_kind_is_that_of_the_kernel(f, kind):
    assert sweeping.kind_of(ag.fused(f), [np.ones(10_000, np.float32)]) == kind


def test_a_fused_function_is_run_over_as_many_threads_as_are_swept():
    launched = []
    f = ag.fused(lambda x: x + 1)
    for threads in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            run = sweeping.on(f, [np.ones(20_000, np.float32)], threads)
            patch.setattr("autograd.kernels.pool.run", lambda *a, t=threads: launched.append(t))
            run()
    assert launched == [2]


def pools():
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def test_the_products_of_numpy_are_swept_over_threads_too():
    before, seen = pools(), set()

    def product(a):
        seen.add((ag.get_num_threads(), *pools()))
        return a @ a

    sweep(product, lambda n, dtype: (np.ones((n, n), dtype),), over=[8], threads=[1, 2], seconds=0.01)
    assert seen == {(t, *[t] * len(before)) for t in (1, 2)}
    assert pools() == before


def test_a_sweep_has_a_point_for_each_combination():
    f = ag.elementwise(lambda x: 2 * x)
    found = sweep(f, over=[100, 20_000], dtypes=["float32", "float64"], threads=[1, 2], seconds=0.1)
    combinations = [(d, n, t) for d in ("float32", "float64") for n in (100, 20_000) for t in (1, 2)]
    assert [(p.dtype, p.size, p.threads) for p in found.points] == combinations
    assert [p.bytes for p in found.points if p.threads == 1] == [800, 160_000, 1600, 320_000]
    assert {p.word for p in found.points if p.threads == 1} == {""}
    assert set(found.crossings) == {"float32", "float64"}
    text = str(found)
    assert "checked against its composition in float64" in text
    assert len([line for line in text.splitlines() if line.startswith("float")]) == 8 + 2


def test_a_sweep_of_a_wrong_kernel_is_refused():
    with pytest.raises(WrongKernel, match="wrong by"):
        sweep(np.negative, over=[10], reference=lambda x: x, seconds=0.01)
