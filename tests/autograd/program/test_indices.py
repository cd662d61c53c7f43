"""What a composition comes to, index by index: the sum that is found, evaluated term by term, is the composition."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.errors import WengertError
from autograd.program.forms import Form, Label, joint
from autograd.program.indices import argument
from autograd.program.symbol import Unfusable


def evaluate(y, arrays):
    """The sum at the top of `indices`, term by term."""
    terms = y.reads[:2]
    labels = {k for read in y.reads for form in read.at for k in form.terms}
    labels |= {k for form in y.places.values() for k in form.terms} | {k for axis in y.axes for k in axis} - set(
        y.places
    )
    order = list(labels)
    where = dict(zip(order, np.indices([k.size for k in order]).reshape(len(order), -1), strict=True))
    count = int(np.prod([k.size for k in order], dtype=int))

    def at(form):
        return form.offset + sum((m * where[k] for k, m in form.terms.items()), np.zeros(count, int))

    def read(r):
        places = [at(form) for form in r.at]
        inside = np.all([(p >= 0) & (p < n) for p, n in zip(places, r.shape, strict=True)], axis=0)
        clipped = tuple(np.clip(p, 0, n - 1) for p, n in zip(places, r.shape, strict=True))
        return np.where(inside, arrays[r.name][clipped], 0.0)

    product, kept, goal = np.ones(count), np.ones(count, bool), np.zeros(count, int)
    for r in terms:
        product = product * read(r)
    for label, form in y.places.items():
        where[label] = at(form)
        kept &= (where[label] >= 0) & (where[label] < label.size)
    for axis in y.axes:
        for label in axis:
            goal = goal * label.size + where[label]
    out = np.zeros(y.size)
    np.add.at(out, goal[kept], product[kept])
    return out.reshape(y.shape)


@st.composite
def moves(draw):
    """A start shape and steps that pad, cut, turn, reshape and take windows."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=3))
    steps = st.tuples(st.sampled_from("pcrtwwf"), st.integers(0, 5), st.integers(1, 3), st.integers(0, 2))
    return tuple(shape), draw(st.lists(steps, max_size=6))


def moved(x, steps):
    """Steps that do not fit are left out."""
    for kind, a, b, c in steps:
        axis = a % x.ndim
        n, lead = x.shape[axis], (slice(None),) * axis
        if kind == "p" and x.size < 200:
            x = ag.pad(x, [(b - 1, c) if k == axis else (0, 0) for k in range(x.ndim)])
        elif kind == "c" and n > c:
            x = x[(*lead, slice(c, None, b))]
        elif kind == "r":
            x = ag.reshape(x, (x.size,)) if b == 1 else ag.expand_dims(x, axis) if b == 2 else cut_in_two(x, axis)
        elif kind == "t":
            x = ag.moveaxis(x, axis, (axis + b) % x.ndim)
        elif kind == "w" and n > (b - 1) * (c + 1) and x.size * b < 400:
            x = ag.window(x, b, axes=(axis,), stride=1 + a % 2, dilation=c + 1)
        elif kind == "f" and x.ndim > 1 and (axis := a % (x.ndim - 1)) is not None:
            tap, stride = x.shape[-1], 1 + a % 2
            shape = list(x.shape[:-1])
            shape[axis] = (shape[axis] - 1) * stride + (tap - 1) * b + 1
            x = ag.fold(x, shape, axes=(axis,), stride=stride, dilation=b)
    return x


def cut_in_two(x, axis):
    n = x.shape[axis]
    part = 2 if n % 2 == 0 else 1
    return ag.reshape(x, (*x.shape[:axis], part, n // part, *x.shape[axis + 1 :]))


def compare(f, arrays):
    """Whether a composition comes to a sum; if it does, the sum is the composition."""
    try:
        found = f(*[argument(a, k) for k, a in enumerate(arrays)])
    except (Unfusable, WengertError):
        return False
    expected = f(*arrays)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(evaluate(found, arrays), expected)
    return True


def whole_numbers(shape, seed=0):
    return np.random.default_rng(seed).integers(1, 9, shape).astype(float)


@settings(max_examples=300, deadline=None)
@given(moves())
def test_random_moves(drawn):
    shape, steps = drawn
    compare(lambda x: moved(x, steps), [whole_numbers(shape)])


@settings(max_examples=200, deadline=None)
@given(moves(), st.integers(1, 3), st.lists(st.tuples(st.sampled_from("ctrf"), *[st.integers(0, 3)] * 3), max_size=4))
def test_random_products(drawn, columns, after):
    shape, steps = drawn
    x = whole_numbers(shape)
    inner = moved(x, steps)
    if inner.ndim > 3 or inner.size > 300:
        return
    w = whole_numbers((inner.shape[-1], columns), 1)

    def f(x, w):
        rows = ag.reshape(moved(x, steps), (-1, len(w)))
        return moved(ag.matmul(rows, w), [(a, b, c + 1, 1) for a, b, c, _ in after])

    compare(f, [x, w])


def test_most_moves_are_understood():
    rng, count = np.random.default_rng(0), 0
    for _ in range(200):
        steps = [("pcrtw"[k], *rest) for k, *rest in rng.integers(0, [5, 6, 3, 3], (4, 4)).tolist()]
        count += compare(
            lambda x, s=steps: moved(x, [(k, a, b + 1, c) for k, a, b, c in s]), [whole_numbers((4, 1, 6))]
        )
    assert count > 150


PRODUCTS = {
    "matrices": (lambda a, b: a @ b, (2, 3), (3, 4)),
    "a batch": (lambda a, b: a @ b, (5, 2, 3), (5, 3, 4)),
    "one matrix for all": (lambda a, b: a @ b, (5, 2, 3), (3, 4)),
    "one row of matrices for all": (lambda a, b: a @ b, (2, 1, 2, 3), (5, 3, 4)),
    "with itself": (lambda a, b: a @ a.mT, (2, 3), (1,)),
    "of one cut in two": (lambda a, b: ag.reshape(a, (2, 6)) @ b, (4, 3), (6, 2)),
    "of inner axes cut otherwise": (lambda a, b: ag.reshape(a, (2, 6)) @ ag.reshape(b, (6, 2)), (2, 2, 3), (3, 2, 2)),
    "of several axes": (lambda a, b: ag.tensordot(a, b, ([1, 2], [1, 0])), (2, 3, 4), (4, 3, 2)),
    "of windows with themselves": (lambda a, b: ag.window(a, 3, axes=(0,)) @ ag.window(a, 3, axes=(0,)).mT, (6,), (1,)),
}


@pytest.mark.parametrize(("f", "a", "b"), PRODUCTS.values(), ids=PRODUCTS)
def test_products(f, a, b):
    arrays = [whole_numbers(a), whole_numbers(b, 1)]
    understood = compare(f, arrays)
    assert understood == (f is not PRODUCTS["of inner axes cut otherwise"][0])


REFUSED = {
    "sort has no kernel form": lambda x: ag.sort(x),
    "pads with other values": lambda x: ag.pad(x, 1, constant_values=2.0),
    "pads what was cut": lambda x: ag.pad(x[1:], 1),
    "pads an axis that it made": lambda x: ag.pad(ag.expand_dims(x, 0), 1),
    "across the bounds": lambda x: ag.reshape(x, (4, 9)),
    "meets what is not an argument": lambda x: x + 1.0,
    "several": lambda x: ag.window(ag.reshape(x, (36,)), 2, axes=(0,)),
    "picks elements": lambda x: x[0],
    "products": lambda x: (x @ x) @ x,
    "lengths differ": lambda x: ag.reshape(x, (2, 3, 6)) @ ag.reshape(x, (6, 6, 1)),
    "pads a product": lambda x: ag.pad(x @ x, 1),
    "one product and one bias": lambda x: x + x,
    "control flow": lambda x: x if x else -x,
    "as a Python number": lambda x: float(x),
    "reads .device": lambda x: x.device,
    "the length of a number": lambda x: len(ag.reshape(x[:1, :1], ())),
    "into": lambda x: ag.reshape(ag.fold(x, (11,), axes=(0,)), (11,))[::2],
}


@pytest.mark.parametrize(("words", "f"), REFUSED.items(), ids=REFUSED)
def test_what_it_does_not_follow_is_refused(words, f):
    with pytest.raises(Unfusable, match=words):
        f(argument(np.ones((6, 6)), 0))


def test_forms():
    a, b, c = Label(2), Label(3), Label(1)
    both = joint((a, c, b))
    assert both.counts(6)
    assert not both.counts(7)
    assert not both.moved(1).counts(6)
    assert not (both * 2).counts(12)
    assert not Form({a: 1, b: 1}).counts(4)
    assert both.bare().terms == {a: 3, b: 1}
    assert (both - Form({b: 2}, 4)).ends() == (-4 - 2, -4 + 3)
    assert all(both.put(a, Form({c: 1}, k)).offset == 3 * k for k in range(3))
    assert list(itertools.chain(Form({a: 1}).put(a, Form()).terms)) == []
