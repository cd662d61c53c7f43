"""What is taken apart in a program: its cotangent is joined where the parts are a whole, and right in any case."""

import numpy as np
import pytest

import autograd as ag

X = np.random.default_rng(0).standard_normal((6, 5, 4))


def joined(x, weigh):
    return [ag.sum(ag.sin(part) * (k + 1)) for k, part in enumerate(weigh(x))]


WHOLE = {  # parts that together are x, each once
    "split": lambda x: ag.split(x, 3),
    "split unevenly": lambda x: ag.split(x, [1, 4], 1),
    "along the last axis": lambda x: ag.split(x, 2, -1),
    "unstack": lambda x: ag.unstack(x, axis=1),
    "rows in another order": lambda x: [x[k] for k in (3, 0, 5, 1, 4, 2)],
    "numbers and slices": lambda x: [x[:, 0], x[:, 1:3], x[:, -2], x[:, 4:]],
}
OTHER = {  # parts that overlap, leave something out, or are taken otherwise
    "overlapping": lambda x: [x[:4], x[3:]],
    "overlapping, as long as the whole": lambda x: [x[:3], x[2:5]],
    "steps that seem to fill a slice": lambda x: [x[:4:2], x[4:]],
    "of one axis, then another": lambda x: [x[:3], x[:, 3:]],
    "of another axis, then one": lambda x: [x[:, 3:], x[:3]],
    "twice": lambda x: [x[0], x[0], x[1], x[2], x[3], x[4]],
    "with a gap": lambda x: [x[:2], x[3:]],
    "in steps": lambda x: [x[::2], x[1::2]],
    "backwards": lambda x: [x[::-1], x[:0]],
    "of two axes": lambda x: [x[:3], x[3:, :2], x[3:, 2:]],
    "by a list": lambda x: [x[[0, 1, 2]], x[3:]],
    "read whole too": lambda x: [x[:3], x, x[3:]],
}


def slopes(parts):
    f = lambda x: sum(joined(x, parts))  # noqa: E731
    compiled = ag.compile(lambda x: ag.grad(f)(x))
    found = [compiled(ag.tensor(X)) for _ in range(2)]
    expected = ag.grad(f)(ag.tensor(X)).numpy()
    for g in found:
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-12)
    assert compiled.reasons() == []
    return [row.kind for row in compiled.program(ag.tensor(X)).rows]


@pytest.mark.parametrize("name", WHOLE)
def test_parts_of_a_whole_are_joined(name):
    kinds = slopes(WHOLE[name])
    assert kinds.count("concat") == 1
    assert "scatter" not in kinds


@pytest.mark.parametrize("name", OTHER)
def test_other_parts_are_added_up(name):
    assert "concat" not in slopes(OTHER[name])


def test_second_derivatives_go_through_a_join():
    f = lambda x: ag.sum(ag.sin(x[0]) * x[1] ** 2 * x[2])  # noqa: E731
    product = lambda x: ag.grad(lambda x: ag.sum(ag.grad(f)(x) * ag.cos(x)))(x)  # noqa: E731
    x = ag.tensor(X[:3, 0])
    compiled = ag.compile(product)
    np.testing.assert_allclose(compiled(x).numpy(), product(x).numpy(), rtol=1e-11)
    assert compiled.reasons() == []
