"""Fitted exponents, on costs whose law is known."""

import math

import numpy as np
import pytest

from bench.scaling.fit import each_more, fitted, line
from bench.scaling.result import Point, laws, show, speedups
from bench.scaling.topics import TOPICS, Topic

SIZES = (10, 100, 1000, 10_000, 100_000)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("factor", [1e-9, 1.0, 250.0])
def test_an_exact_power_law_is_found(exponent, factor):
    fit = fitted(SIZES, [factor * n**exponent for n in SIZES])
    assert fit.exponent == pytest.approx(exponent, abs=1e-12)
    assert fit.factor == pytest.approx(factor)
    assert fit.error == pytest.approx(0, abs=1e-9)
    assert (fit.sizes, fit.points) == ((10, 100_000), 5)


def test_a_cost_of_each_call_is_left_out_by_the_start():
    costs = [1e-3 + 1e-9 * n for n in (1, 1e3, 1e6, 1e7, 1e8)]
    whole, tail = (fitted((1, 1e3, 1e6, 1e7, 1e8), costs, start) for start in (0, 1e7))
    assert whole.exponent < 0.3
    assert tail.exponent == pytest.approx(math.log10((1e-3 + 0.1) / (1e-3 + 0.01)), abs=1e-9)
    assert tail.sizes == (1e7, 1e8)


def test_noise_widens_the_interval_which_holds_the_truth():
    rng = np.random.default_rng(0)
    sizes, inside, errors = np.geomspace(10, 1e6, 12), 0, []
    for _ in range(400):
        fit = fitted(sizes, 3e-9 * sizes**1.5 * np.exp(0.1 * rng.standard_normal(12)))
        inside += fit.spread.low <= 1.5 <= fit.spread.high
        errors.append(fit.error)
    assert 0.88 <= inside / 400 <= 0.97  # two standard errors of 10 degrees of freedom: 0.927
    xs = np.log(sizes)
    assert np.mean(errors) == pytest.approx(0.1 / np.sqrt(((xs - xs.mean()) ** 2).sum()), rel=0.05)


@pytest.mark.parametrize(
    ("sizes", "costs", "start"), [((), (), 0), ((5,), (1.0,), 0), ((1, 10, 100), (1, 2, 3), 100), ((1, 10), (0, 1), 0)]
)
def test_less_than_two_sizes_have_no_law(sizes, costs, start):
    assert fitted(sizes, costs, start) is None


def test_two_points_leave_no_error():
    fit = fitted((10, 1000), (1.0, 100.0))
    assert (fit.exponent, fit.error) == (pytest.approx(1.0), 0.0)


def test_a_line_is_that_of_least_squares():
    xs, ys = [0.0, 1.0, 2.0, 4.0], [1.0, 0.5, 3.0, 2.0]
    (slope, at), cov = np.polyfit(xs, ys, 1, cov=True)
    assert line(xs, ys) == pytest.approx((slope, at, cov[0, 0] ** 0.5))


def test_each_further_order_multiplies():
    found = each_more((1, 2, 3, 4), (1.0, 3.0, 9.0, 27.0))
    assert (found.median, found.low, found.high) == pytest.approx((3.0, 3.0, 3.0))
    assert each_more((1,), (1.0,)) is None


# ---- the laws of a topic


def points(topic, costs, **more):
    return [
        Point(f"{topic} {n}", topic, n, seconds={"ours": [c] * 3}, phases={"ours": {"record": c}}, **more)
        for n, c in costs.items()
    ]


def test_a_promise_of_linear_growth_is_kept_or_missed():
    straight = laws(TOPICS["depth"], points("depth", {n: 2e-6 * n for n in (1000, 10_000, 100_000)}))
    bent = laws(TOPICS["depth"], points("depth", {n: 2e-6 * n**1.3 for n in (1000, 10_000, 100_000)}))
    (kept,), (missed,) = straight, bent
    assert kept.what == "depth: ours, record, exponent from 1,000 to 100,000"
    assert (kept.figure.median, kept.verdict) == (pytest.approx(1.0), "kept")
    assert (missed.figure.median, missed.verdict) == (pytest.approx(1.3), "missed")


def test_bytes_are_fitted_with_the_phases():
    found = [
        Point(
            "", "depth", n, seconds={"torch": [n * 1.0]}, phases={"torch": {"record": n * 1.0}}, held={"torch": 8 * n}
        )
        for n in (1000, 10_000)
    ]
    assert [(row.what.split(", ")[1], row.figure.median, row.target) for row in laws(TOPICS["depth"], found)] == [
        ("record", pytest.approx(1.0), None),
        ("bytes held", pytest.approx(1.0), None),
    ]


def test_orders_have_a_factor_and_others_all_phases_together():
    (order,) = laws(TOPICS["order"], points("order", {1: 1.0, 2: 4.0, 3: 16.0}))
    assert (order.what, order.unit, order.figure.median) == (
        "order: ours, each further order", "times", pytest.approx(4.0)
    )  # fmt: skip
    topic = Topic("wide", "", (1, 10), 10, 1)
    (wide,) = laws(topic, points("wide", {1: 1.0, 10: 100.0}))
    assert (wide.what, wide.figure.median) == ("wide: ours, exponent from 1 to 10", pytest.approx(2.0))


def test_threads_are_compared_with_one():
    found = [Point("", "threads", n, seconds={"ours": [s], "torch": [1.0]}) for n, s in ((1, 3.0), (2, 2.0), (4, 1.0))]
    ours, torch = speedups("work", found)
    assert (ours.what, ours.figure.median) == ("work: ours, 4 threads to 1, times as fast", 3.0)
    assert torch.figure.median == 1.0
    assert speedups("work", found[:1]) == []


def test_the_table_has_a_line_for_each_size_and_says_how_long_making_took():
    found = points("depth", {1: 1e-6, 10: 2e-6})
    compiled = Point("depth 100", "depth", 100, seconds={"ours": [3e-6], "jax.jit": [1e-6]}, made={"jax.jit": 7.04})
    law = Point("depth", "depth", notes=["torch is absent: not installed."])
    head, *lines, note = [part for part in show([*found, compiled, law]).splitlines() if part]
    assert head.split() == ["microseconds", "ours", "jax.jit"]
    assert lines[1].split() == ["depth", "10", "2.00"]
    assert lines[2].endswith("3.00  1.00 (made in 7.0 s)")
    assert note == "torch is absent: not installed."


def test_every_topic_has_sizes_to_fit_in_the_quick_form():
    for topic in TOPICS.values():
        taken = [n for n in topic.sizes if topic.start <= n <= topic.quick]
        assert len(taken) >= 3, topic.name
    assert (TOPICS["depth"].sizes[0], TOPICS["depth"].sizes[-1]) == (1, 1_000_000)
    assert (TOPICS["parameters"].sizes[0], TOPICS["parameters"].sizes[-1]) == (1000, 100_000_000)
