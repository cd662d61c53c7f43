"""What only spreads smaller values is made where it is read, in the order in which it is read."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag

RNG = np.random.default_rng(0)
FLAT, X = RNG.standard_normal(40 * 30 + 40), RNG.standard_normal((50, 30))


def said(f: Any, *args: Any) -> list[tuple[str, str]]:
    """The kinds of a program's entries, and what they compute; its results are those of the function."""
    call = ag.compile(f)
    for _ in range(2):
        np.testing.assert_allclose(call(*args).numpy(), f(*args).numpy(), rtol=1e-12, atol=1e-13)
    assert call.reasons() == []
    return [(row.kind, row.what.partition(": ")[2]) for row in call.program(*args).rows]


def test_a_part_of_an_argument_is_spread_by_the_kernel_that_reads_it() -> None:
    def f(flat: Any, x: Any) -> Any:
        y = x @ ag.reshape(flat[:1200], (40, 30)).T
        return ag.tanh(y + ag.broadcast_to(flat[1200:], y.shape))

    found = said(f, ag.tensor(FLAT), ag.tensor(X))
    assert [what for kind, what in found if kind == "kernel"] == ["broadcast_to add tanh"]


def test_what_is_computed_first_is_spread_late() -> None:
    def f(x: Any, y: Any) -> Any:
        wide = ag.broadcast_to(ag.sum(x, 1, keepdims=True), (50, 30))  # known long before the product
        return ag.exp(-ag.abs(y @ y.T @ x)) * wide

    found = said(f, ag.tensor(X), ag.tensor(0.1 * X))
    assert not any(what == "broadcast_to" for _, what in found)


def test_an_outer_product_is_made_in_the_order_of_what_it_meets() -> None:
    """Of each sample: as the second derivatives of a network have them."""
    w, v = ag.tensor(RNG.standard_normal((7, 9))), ag.tensor(RNG.standard_normal((1, 9)))

    def f(xs: Any, gs: Any) -> Any:
        turned = ag.permute_dims(ag.tanh(ag.matmul(w.T, xs)), (0, 2, 1))  # (samples, 9, rows), seen as its transpose
        return ag.sum(turned + ag.vmap(lambda g: g @ v)(gs), 2)

    found = said(f, ag.tensor(RNG.standard_normal((6, 7, 200))), ag.tensor(RNG.standard_normal((6, 200, 1))))
    assert [kind for kind, _ in found if kind == "copy"] == []
    assert next(what for _, what in found if "multiply" in what).startswith("tanh multiply add")


def test_a_hessian_copies_no_large_array() -> None:
    x, y = ag.tensor(RNG.standard_normal((64, 20))), ag.tensor(RNG.standard_normal((64, 1)))

    def loss(flat: Any) -> Any:
        w, b = ag.reshape(flat[:440], (22, 20)), flat[440:462]
        out = ag.tanh(ag.inner(x, w) + b) @ flat[462:484][:, None] + flat[484]
        return ag.mean((out - y) ** 2)

    flat = ag.tensor(0.3 * RNG.standard_normal(485))
    hessian = ag.hessian(loss, compile=False)
    rows = ag.compile(hessian).program(flat).rows
    assert max(row.bytes_written for row in rows if row.kind == "copy") < 8 * 485 * 485 // 4
    np.testing.assert_allclose(ag.compile(hessian)(flat).numpy(), hessian(flat).numpy(), rtol=1e-9, atol=1e-12)


def test_a_matrix_of_rows_of_several_axes_times_a_column() -> None:
    v = ag.tensor(RNG.standard_normal((30, 1)))

    def f(x: Any) -> Any:
        return ag.permute_dims(x, (0, 2, 1)) @ v

    x = ag.tensor(RNG.standard_normal((40, 30, 80)))
    found = said(f, x)
    assert [kind for kind, _ in found if kind in ("copy", "matmul")] == []
