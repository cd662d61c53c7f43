"""The statistics, on timings whose answers are known."""

import pytest

from bench import timing


def test_spread_is_median_and_quartiles():
    assert timing.spread([9.0, 1.0, 5.0, 7.0, 3.0]) == timing.Spread(5.0, 3.0, 7.0)


def test_spread_of_one_figure_is_that_figure():
    assert timing.spread([2.5]) == timing.Spread(2.5, 2.5, 2.5)


def test_one_wild_round_does_not_move_the_median():
    calm = [1.0, 1.1, 0.9, 1.05, 0.95]
    assert timing.spread([*calm[:-1], 500.0]).median == pytest.approx(1.05)
    assert timing.spread(calm).median == 1.0


def test_difference_is_taken_within_each_round():
    # both subjects slow down together: medians of each alone would differ by 30 in any pairing, rounds by exactly 2
    assert timing.difference([3.0, 33.0, 13.0], [1.0, 31.0, 11.0]) == timing.Spread(2.0, 2.0, 2.0)


def test_difference_may_be_negative():
    assert timing.difference([1.0], [4.0]).median == -3.0


def test_ratio_is_taken_within_each_round():
    assert timing.ratio([3.0, 30.0, 300.0], [2.0, 20.0, 200.0]) == timing.Spread(1.5, 1.5, 1.5)


@pytest.mark.parametrize("compare", [timing.difference, timing.ratio])
def test_rounds_must_pair_up(compare):
    with pytest.raises(ValueError, match=r"longer|shorter"):
        compare([1.0, 2.0], [1.0])


def test_a_spread_scales_to_another_unit():
    assert timing.Spread(2.0, 1.0, 4.0) * 1e3 == timing.Spread(2000.0, 1000.0, 4000.0)


def recorder(order: list[str], name: str, figures: list[float]):
    rest = iter(figures)

    def subject() -> float:
        order.append(name)
        return next(rest)

    return subject


def test_rounds_are_interleaved_and_turned_round():
    order: list[str] = []
    found = timing.interleaved(
        {"a": recorder(order, "a", [9, 1, 2, 3]), "b": recorder(order, "b", [9, 10, 20, 30])}, repeats=3
    )
    assert "".join(order) == "ab" + "ba" + "ab" + "ba"
    assert found == {"a": [1, 2, 3], "b": [10, 20, 30]}  # the first round is not counted


def test_seconds_are_for_one_of_what_is_counted(monkeypatch):
    monkeypatch.setattr(timing.timeit.Timer, "timeit", lambda self, number: 0.5 * number)
    assert timing.seconds_per("pass", number=10)() == 0.5
    assert timing.seconds_per("pass", number=10, counts=100)() == pytest.approx(0.005)


def test_the_statement_runs_as_often_as_asked():
    seen: list[int] = []
    timing.seconds_per("seen.append(start)", setup="start = 7", number=5, seen=seen)()
    assert seen == [7] * 5
