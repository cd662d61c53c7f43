"""Intervals and verdicts, on synthetic timings whose answers are known."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from bench import sample
from bench.verdict import FASTER, NONE, SLOWER, verdict


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [8, 25, 100, 999])
def test_the_interval_cuts_as_many_as_the_binomial_allows(count, confidence):
    k = sample.cut(count, confidence)
    assert 2 * binom.cdf(k, count, 0.5) <= 1 - confidence < 2 * binom.cdf(k + 1, count, 0.5)


def test_the_interval_is_made_of_order_statistics():
    figures = [float(x) for x in np.random.default_rng(0).permutation(100)]
    assert sample.interval(figures) == sample.Interval(49.5, 39.0, 60.0, 0.95)


def test_few_figures_say_how_sure_they_are():
    found = sample.interval([2.0, 1.0, 4.0])
    assert found == sample.Interval(2.0, 1.0, 4.0, 0.75)
    assert sample.interval([7.0]).confidence == 0.0


@pytest.mark.parametrize("draw", ["lognormal", "exponential", "standard_cauchy"])
def test_the_interval_holds_the_median_as_often_as_it_says(draw):
    rng = np.random.default_rng(1)
    true = {"lognormal": 1.0, "exponential": math.log(2), "standard_cauchy": 0.0}[draw]
    found = [sample.interval(getattr(rng, draw)(size=31).tolist()) for _ in range(1000)]
    assert sum(f.low <= true <= f.high for f in found) >= 940  # of 1000, where 950 and more are expected


def test_wild_figures_are_counted_and_not_removed():
    figures = [1.0, 1.1, 1.2, 1.3, 1.4, 0.1, 50.0]
    assert sample.outliers(figures) == (1, 1)
    assert sample.summary(figures)["rounds"] == 7
    assert sample.summary(figures)["max"] == 50.0


def test_a_change_of_speed_within_the_rounds_is_noticed():
    rng = np.random.default_rng(2)
    calm = rng.normal(1.0, 0.05, 60).tolist()
    assert math.isnan(sample.moved(calm))
    assert sample.moved(calm[:30] + [1.5 * x for x in calm[30:]]) == pytest.approx(1.5, rel=0.05)
    assert math.isnan(sample.moved([1.0, 2.0]))


def test_the_summary_is_that_of_pytest_benchmark():
    found = sample.summary([1.0, 2.0, 3.0, 4.0, 5.0], iterations=10)
    expected = {"min": 1.0, "max": 5.0, "mean": 3.0, "median": 3.0, "q1": 2.0, "q3": 4.0, "iqr": 2.0, "rounds": 5}
    assert {name: found[name] for name in expected} == expected
    assert found["stddev"] == pytest.approx(math.sqrt(2.5))
    assert (found["total"], found["ops"], found["iterations"]) == (150.0, 1 / 3, 10)
    assert (found["ld15iqr"], found["hd15iqr"], found["outliers"]) == (1.0, 5.0, "2;0")


def host(rng, count):
    """The speed of a machine that drifts by half, flips between two speeds, and has neighbours now and then."""
    drift = 1 + 0.5 * np.sin(np.linspace(0, rng.uniform(1, 9), count) + rng.uniform(0, 7))
    flips = np.where(np.cumsum(rng.random(count) < 0.05) % 2, 1.8, 1.0)
    neighbours = np.where(rng.random(count) < 0.03, rng.uniform(2, 30, count), 1.0)
    return drift * flips * neighbours * rng.normal(1.0, 0.02, count).clip(0.9)


def pairs(rng, count, ratio):
    """Timings in pairs whose order is drawn by lot, of two kernels one of which takes `ratio` times as long."""
    speed = host(rng, 2 * count).reshape(count, 2)
    first = rng.integers(0, 2, count)
    rows = np.arange(count)
    return (ratio * speed[rows, first]).tolist(), speed[rows, 1 - first].tolist()


def words(ratio, runs=200, count=100):
    rng = np.random.default_rng(3)
    return [verdict(*pairs(rng, count, ratio)).word for _ in range(runs)]


def test_a_kernel_against_itself_is_no_different_on_a_machine_that_drifts_and_flips():
    assert words(1.0, runs=400).count(NONE) >= 396  # 95 of 100 are asked for, and 99 stated


@pytest.mark.parametrize(("ratio", "word"), [(1.1, SLOWER), (1 / 1.1, FASTER), (1.5, SLOWER), (0.5, FASTER)])
def test_a_difference_is_seen_on_the_same_machine(ratio, word):
    found = words(ratio)
    assert found.count(word) >= 190
    assert set(found) <= {word, NONE}


def test_medians_apart_would_be_deceived_where_pairs_are_not():
    # the machine falls to half its speed: in between two pairs, or in between all of one side and all of the other
    rng = np.random.default_rng(4)
    noise = rng.normal(1.0, 0.01, (2, 100))
    speed = np.where(np.arange(100) < 50, 1.0, 2.0)
    together = verdict((noise[0] * speed).tolist(), (noise[1] * speed).tolist())
    apart = verdict((noise[0] * 1.0).tolist(), (noise[1] * 2.0).tolist())
    assert (together.word, apart.word) == (NONE, FASTER)


def test_a_difference_that_is_certain_and_small_is_none():
    found = verdict([1.01 + 1e-6 * k for k in range(50)], [1.0] * 50)
    assert found.word == NONE
    assert found.ratio.low > 1
    assert verdict([1.01] * 50, [1.0] * 50, smallest=0.005).word == SLOWER


def test_few_pairs_prove_nothing():
    assert verdict([2.0] * 7, [1.0] * 7).word == NONE  # 1 of 64 that all are the same way round
    assert verdict([2.0] * 8, [1.0] * 8).word == SLOWER  # 1 of 128


def test_a_verdict_says_how_sure_it_is():
    figures = "2.000 times the time, 2.000 to 2.000 at 99% confidence, 20 pairs"
    assert str(verdict([2.0] * 20, [1.0] * 20)) == f"slower ({figures}; less than 2% counts as none)"
