"""A program as a list to read: operations, arrays and lines are the function's, and measuring changes nothing."""

import inspect
import math
from html.parser import HTMLParser

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.errors import ArgumentError, UnsupportedError
from autograd.program.listing import Listing

X = np.random.default_rng(0).standard_normal((32, 6)).astype("float32")
T = np.random.default_rng(1).integers(0, 3, 32)


def line_of(f, text):
    lines, start = inspect.getsourcelines(f)
    return start + next(k for k, line in enumerate(lines) if text in line)


class Step:
    """A training step with everything in it that changes: parameters, states of both kinds, and random numbers."""

    def __init__(self):
        ag.random.seed(3)
        parts = [nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Tanh(), regularize.Dropout(0.3), nn.Linear(16, 3)]
        self.model = nn.Sequential(*parts)
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01)
        self.compiled = ag.compile(self.step)

    def step(self, x, t):
        self.optimizer.zero_grad()
        y = self.model(x)
        loss = F.cross_entropy(y, t)
        loss.backward()
        self.optimizer.step()
        return loss

    def seen(self):
        state = self.optimizer.state_dict()["state"]
        tensors = [*self.model.parameters(), *self.model.buffers(), *(p.grad for p in self.model.parameters())]
        states = [v for s in state.values() for v in s.values()]
        return [np.array(t.numpy() if isinstance(t, ag.Tensor) else t) for t in (*tensors, *states)]


w = ag.tensor(np.ones((6, 4), "float32"), requires_grad=True)


def loss(x):
    h = ag.tanh(x @ w)
    return ag.sum(h * h)


def program():
    return ag.compile(loss).program(ag.tensor(X))


def test_entries_say_what_is_computed_of_what_and_where():
    rows = program().rows
    assert [row.kind for row in rows] == ["matmul", "kernel", "matmul"]
    product, kernel, back = rows
    assert (product.reads, product.bytes_read, product.bytes_written) == (
        ["x0", "t0"],
        4 * (32 * 6 + 6 * 4),
        4 * 32 * 4,
    )
    assert kernel.reads[0] == product.writes[0]
    assert back.reads == ["x0", kernel.writes[0]]
    assert [said.partition(" = ")[2] for said, _, _ in kernel.formulas][:2] == [
        f"tanh({product.writes[0]})",
        "multiply(%0, %0)",
    ]
    assert kernel.formulas[0][1] == "(32, 4) float32"
    assert len({row.group for row in rows}) == 3


def test_lines_are_the_users_and_the_derivatives_those_of_what_they_derive():
    first, second = line_of(loss, "tanh"), line_of(loss, "sum")
    product, kernel, back = program().rows
    assert {o.file for row in (product, kernel, back) for o in row.origins} == {__file__}
    assert [(o.line, o.backward) for o in product.origins] == [(first, False)]
    assert [(o.line, o.backward) for o in kernel.origins] == [
        (first, False),
        (first, True),
        (second, False),
        (second, True),
    ]
    assert [(o.line, o.backward) for o in back.origins] == [(first, True)]


def test_buffers_have_roles_and_sizes():
    found = program()
    roles = {b.name: (b.role, b.shape, b.bytes) for b in found.buffers}
    assert roles["x0"] == ("argument", (32, 6), 768)
    assert roles["t0"] == ("Tensor", (6, 4), 96)
    assert roles[found.rows[2].writes[0]] == ("gradient of t0", (6, 4), 96)
    own = sum(b.bytes for b in found.buffers if b.name[0] in "bk")
    assert own > 2 * 512 + 96
    assert 0 <= found.bytes - own <= 16  # a cotangent of 1, and a part of the sum
    assert [b.place for b in found.buffers] == [None] * len(found.buffers)  # too small to be worth sharing


def test_arrays_that_share_memory_are_counted_once():
    def deep(x):
        for _ in range(6):
            x = ag.tanh(x @ ag.ones((64, 64)))
        return ag.sum(x)

    found = ag.compile(deep).program(ag.ones((64, 64)))
    between = [b for b in found.buffers if b.name.startswith("b") and b.bytes == 64 * 64 * 8]
    places = {b.place for b in between}
    assert len(between) == 12 - 1  # the last is summed where it is made
    assert places == {0, 64 * 64 * 8}
    assert found.bytes < 5 * 64 * 64 * 8  # two places, and the ones
    assert "shared, at 32,768" in found.explain()


def test_a_whole_step_lists_gradients_states_and_updates():
    made = Step()
    made.compiled(ag.tensor(X), ag.tensor(T))  # the first makes the states
    found = made.compiled.program(ag.tensor(X), ag.tensor(T))
    roles = [b.role for b in found.buffers]
    assert sum(role.startswith("gradient of t") for role in roles) == 6
    assert sum(role.startswith("next t") for role in roles) == 2  # mean and variance; the count is a number
    assert found.updates == ["6 Tensors, with 2 states of each"]
    lines = {o.line for row in found.rows for o in row.origins if o.file == __file__}
    assert lines == {line_of(Step.step, "self.model(x)"), line_of(Step.step, "cross_entropy")}


def test_measuring_gives_each_entry_a_time_and_changes_nothing():
    one, other = Step(), Step()
    x, t = ag.tensor(X), ag.tensor(T)
    for step in (one, other):
        ag.random.seed(4)
        for _ in range(3):
            step.compiled(x, t)
    before = one.seen()
    state = ag.random.default.get_state()
    found = one.compiled.listings()[0].profile(x, t)
    assert ag.random.default.get_state() == state
    assert all(np.array_equal(a, b) for a, b in zip(before, one.seen(), strict=True))
    assert all(row.microseconds is not None and 0 <= row.microseconds < 1e6 for row in found.rows)
    losses = []
    for step in (one, other):
        ag.random.seed(5)
        losses.append([float(step.compiled(x, t)) for _ in range(4)])
    assert losses[0] == losses[1]
    assert one.compiled.reasons() == []
    assert len(one.compiled.listings()) == 1


def test_text_has_a_line_for_each_entry_and_the_sum_of_their_times(capsys):
    found = program()
    found.print()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("loss: 3 entries, 4 buffers, ")
    assert lines[1].split() == ["kind", "group", "what", "reads", "writes", "read", "written", "threads", "lines"]
    assert [line.split()[:2] for line in lines[2:]] == [["0", "matmul"], ["1", "kernel"], ["2", "matmul"]]
    found.profile()
    lines = str(found).splitlines()
    assert "us" in lines[1].split()
    total = float(lines[-1].removeprefix("all entries: ").removesuffix(" us"))
    assert math.isclose(total, sum(row.microseconds for row in found.rows), abs_tol=0.06)


def test_the_explanation_has_every_operation_with_its_source():
    text = program().explain()
    assert f"test_listing.py:{line_of(loss, 'tanh')}: h = ag.tanh(x @ w)" in text
    assert "backward of test_listing.py" in text
    assert "matmul(x0, t0)" in text
    assert text.count("gradient of t0") == 1


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.outside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(tmp_path):
    found = ag.compile(lambda x: ag.sum(ag.tanh(x) * (x < 1))).program(ag.tensor(X)).profile()
    text = found.to_html(tmp_path / "program.html")
    assert (tmp_path / "program.html").read_text(encoding="utf-8") == text
    page = Page(text)
    assert page.open == []
    assert page.outside == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in text
    assert "import" not in text
    assert page.tags.count("details") == len(found.rows)
    assert "&lt;lambda&gt;" in text
    assert "(x &lt; 1)" in text


def test_a_function_without_a_program_says_why():
    compiled = ag.compile(lambda x: ag.sum(x) if float(ag.sum(x)) > 0 else ag.sum(-x))
    with pytest.raises(
        UnsupportedError, match="has no program for these arguments: it reads a value as a Python number"
    ):
        compiled.program(ag.tensor(X))


def test_measuring_needs_arguments_of_the_same_kind():
    compiled = ag.compile(loss)
    compiled(ag.tensor(X))
    (found,) = compiled.listings()
    assert isinstance(found, Listing)
    with pytest.raises(ArgumentError, match=r"profile of loss was given no arguments. Write profile\("):
        found.profile()
    both = ag.compile(lambda x: x + 1.0 if x.ndim == 1 else ag.tanh(x @ x) @ x)
    with pytest.raises(ArgumentError, match=r"arguments of another kind: their program has 1 entries, this one 3"):
        both.program(ag.ones((4, 4))).profile(ag.ones(4))
