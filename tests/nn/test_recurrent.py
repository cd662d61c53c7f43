"""What the table of layers does not show: packed input, states, starting values, dropout, and errors."""

import importlib
import importlib.util
import math
import sys

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.config import config
from autograd.errors import ArgumentError, DataError, DTypeError, ShapeError
from autograd.scanning import reasons

LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
CELLS = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
every_kind = pytest.mark.parametrize("kind", sorted(LAYERS))
DEEP = {"num_layers": 2, "bidirectional": True}


def make(kind, *args, seed=0, **options):
    return LAYERS[kind](*args, dtype="float64", generator=ag.random.Generator(seed), **options)


def numbers(*shape, seed=0):
    return ag.tensor(np.random.default_rng(seed).standard_normal(shape))


def states(kind, *shape):
    """An initial state, as the layer takes it."""
    return (numbers(*shape, seed=1), numbers(*shape, seed=2)) if kind == "LSTM" else numbers(*shape, seed=1)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def cut(state, b):
    """The state of one sequence of the batch."""
    found = tuple(s[:, b] for s in parts(state))
    return found if isinstance(state, tuple) else found[0]


def same(a, b):
    np.testing.assert_allclose(ag.asarray(a).detach(), ag.asarray(b).detach(), rtol=1e-12, atol=1e-12)


# ---- one layer is its cells; a batch is its sequences


@every_kind
def test_a_layer_is_its_cell_step_by_step(kind):
    layer, cell = make(kind, 2, 3), CELLS[kind](2, 3, dtype="float64")
    cell.load_state_dict({name.removesuffix("_l0"): v for name, v in layer.state_dict().items()})
    x = numbers(5, 4, 2)
    output, last = layer(x)
    state = None
    for t in range(5):
        state = cell(x[t], state)
        same(output[t], parts(state)[0])
    for ours, found in zip(parts(last), parts(state), strict=True):
        same(ours[0], found)


@every_kind
def test_the_other_direction_reads_the_sequence_reversed(kind):
    both, one = make(kind, 2, 3, bidirectional=True), make(kind, 2, 3)
    mine = {n.removesuffix("_reverse"): v for n, v in both.state_dict().items() if n.endswith("_reverse")}
    one.load_state_dict(mine)
    x = numbers(5, 4, 2)
    output, last = both(x)
    reversed_output, reversed_last = one(ag.flip(x, 0))
    same(output[..., 3:], ag.flip(reversed_output, 0))
    for a, b in zip(parts(last), parts(reversed_last), strict=True):
        same(a[1], b[0])


@every_kind
@pytest.mark.parametrize("batch_first", [False, True])
def test_sequences_of_any_length_come_out_as_they_do_alone(kind, batch_first):
    lengths = [2, 5, 1, 5, 3]
    layer = make(kind, 2, 3, batch_first=batch_first, **DEEP)
    x, first = numbers(6, 5, 2), states(kind, 4, 5, 3)
    given = ag.swapaxes(x, 0, 1) if batch_first else x
    output, last = layer(given, first, lengths=lengths)
    packed = nn.pack_padded_sequence(given, lengths, batch_first, enforce_sorted=False)
    packed_output, packed_last = layer(packed, first)
    assert isinstance(packed_output, nn.PackedSequence)
    same(nn.pad_packed_sequence(packed_output, batch_first, total_length=6)[0], output)
    output = ag.swapaxes(output, 0, 1) if batch_first else output
    for b, n in enumerate(lengths):
        alone, alone_last = layer(x[:n, b], cut(first, b))
        same(output[:n, b], alone)
        assert not output[n:, b].detach().numpy().any()
        for a, c, d in zip(parts(last), parts(packed_last), parts(alone_last), strict=True):
            same(a[:, b], d)
            same(c[:, b], d)


@every_kind
def test_what_lies_beyond_a_length_counts_for_nothing(kind):
    layer, x = make(kind, 2, 3, **DEEP), numbers(4, 3, 2)
    x = ag.put(x, (slice(2, None), 1), math.nan)
    x.requires_grad_()
    output, last = layer(x, lengths=[4, 2, 3])
    (output.sum() + sum(s.sum() for s in parts(last))).backward()
    gradients = [x.grad, *(p.grad for p in layer.parameters())]
    assert all(np.isfinite(g.numpy()).all() for g in gradients)
    assert not x.grad.numpy()[2:, 1].any()
    assert not x.grad.numpy()[3:, 2].any()
    assert (x.grad.numpy()[:2, 1] != 0).all()


@every_kind
def test_a_sorted_packed_batch_needs_no_order(kind):
    layer, x = make(kind, 2, 3), numbers(3, 2, 2)
    output, _ = layer(nn.pack_padded_sequence(x, [3, 2]))
    assert output.sorted_indices is None
    same(nn.pad_packed_sequence(output)[0], layer(x, lengths=[3, 2])[0])


@every_kind
def test_a_state_goes_on_where_it_was_left(kind):
    layer, x = make(kind, 2, 3, num_layers=2), numbers(7, 4, 2)
    whole, last = layer(x)
    head, middle = layer(x[:3])
    tail, end = layer(x[3:], middle)
    same(ag.concat([head, tail]), whole)
    for a, b in zip(parts(last), parts(end), strict=True):
        same(a, b)


def test_a_projected_state_has_two_widths():
    layer = make("LSTM", 2, 4, proj_size=3, bidirectional=True)
    first = numbers(2, 5, 3), numbers(2, 5, 4)
    x = numbers(3, 5, 2)
    output, (h, c) = layer(x, first)
    assert (output.shape, h.shape, c.shape) == ((3, 5, 6), (2, 5, 3), (2, 5, 4))
    same(h, ag.stack([output[-1, :, :3], output[0, :, 3:]]))
    assert abs(output - layer(x)[0]).max().item() > 1e-3


# ---- kernels


@every_kind
def test_kernels_and_plain_composition_agree(kind):
    layer, x = make(kind, 3, 64, bidirectional=True), numbers(3, 80, 3)  # 80 * 64 elements: above the threshold
    found = []
    for kernels in (True, False):
        with config.using(kernels=kernels):
            layer.zero_grad()
            output, last = layer(x)
            (output.sum() + sum((s * s).sum() for s in parts(last))).backward()
            found.append([output, *parts(last), *(p.grad for p in layer.parameters())])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-10, atol=1e-10)
    step = {"RNN": nn.cell.tanh_step, "LSTM": nn.cell.lstm_step, "GRU": nn.cell.gru_step}[kind]
    assert reasons(nn.recurrence.TURNS[step]) == []
    cells = {"RNN": nn.cell._tanh_cell, "LSTM": nn.cell._lstm_cell, "GRU": nn.cell._gru_cell}
    CELLS[kind](3, 64)(ag.ones((80, 3), "float32"))
    assert cells[kind].plans
    assert cells[kind].reasons() == []


@every_kind
@pytest.mark.parametrize("lengths", [[40] * 8, [40, 40, 40, 31, 7, 7, 2, 1]], ids=["equal", "unequal"])
def test_a_sequence_costs_one_loop_for_each_number_of_rows(kind, lengths, monkeypatch):
    calls = []
    scan = ag.scan
    monkeypatch.setattr(ag, "scan", lambda *args, **settings: calls.append(args) or scan(*args, **settings))
    make(kind, 3, 24)(numbers(40, 8, 3), lengths=lengths)
    assert len(calls) == len(set(lengths))


@every_kind
def test_compiled_layers_are_one_loop_forwards_and_one_backwards(kind):
    layer, x = make(kind, 3, 24), numbers(40, 8, 3)

    def loss(x):
        output, last = layer(x)
        return output.sum() + sum((s * s).sum() for s in parts(last))

    program = ag.compile(loss)
    gradients = []
    for run in (loss, program):
        layer.zero_grad()
        run(x).backward()
        gradients.append([p.grad for p in layer.parameters()])
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    text = program.explain(x)
    assert (text.count("scan_turns"), text.count("scan_back"), program.reasons()) == (1, 1, [])


# ---- parameters


@every_kind
def test_names_shapes_and_starting_values(kind):
    layer, g = make(kind, 5, 16, **DEEP), GATES[kind]
    rows = g * 16
    shapes = {name: p.shape for name, p in layer.named_parameters()}
    assert list(shapes)[:4] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert list(shapes)[-4:] == [f"{n}_l1_reverse" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    assert shapes["weight_ih_l0_reverse"] == (rows, 5)
    assert shapes["weight_ih_l1"] == (rows, 32)
    assert shapes["weight_hh_l1"] == (rows, 16)
    assert shapes["bias_hh_l0"] == (rows,)
    for module in (layer, CELLS[kind](5, 16, generator=ag.random.Generator(1))):
        for p in module.parameters():
            values = p.detach().numpy()
            assert abs(values).max() <= 0.25
            assert values.size < 40 or abs(values.std() - 0.25 / math.sqrt(3)) < 0.03
    again = make(kind, 5, 16, **DEEP)
    for a, b in zip(layer.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
    assert LAYERS[kind](2, 2).weight_hh_l0.dtype == np.float32


STATES = {  # kind, options: names and shapes of torch 2.13 for four inputs and three hidden numbers
    "gru": ("GRU", {}, {"weight_ih_l0": (9, 4), "weight_hh_l0": (9, 3), "bias_ih_l0": (9,), "bias_hh_l0": (9,)}),
    "projected": (
        "LSTM",
        {"proj_size": 2},
        {
            "weight_ih_l0": (12, 4),
            "weight_hh_l0": (12, 2),
            "bias_ih_l0": (12,),
            "bias_hh_l0": (12,),
            "weight_hr_l0": (2, 3),
        },
    ),
    "deep": (
        "RNN",
        {**DEEP, "bias": False},
        {
            "weight_ih_l0": (3, 4),
            "weight_hh_l0": (3, 3),
            "weight_ih_l0_reverse": (3, 4),
            "weight_hh_l0_reverse": (3, 3),
            "weight_ih_l1": (3, 6),
            "weight_hh_l1": (3, 3),
            "weight_ih_l1_reverse": (3, 6),
            "weight_hh_l1_reverse": (3, 3),
        },
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_the_state_has_the_keys_of_pytorch(name):
    kind, options, expected = STATES[name]
    ours = LAYERS[kind](4, 3, **options)
    assert list(expected.items()) == [(n, t.shape) for n, t in ours.state_dict().items()]
    cell = CELLS[kind](4, 3, bias=options.get("bias", True))
    first = {n.removesuffix("_l0"): shape for n, shape in expected.items() if n.endswith("_l0") and "hr" not in n}
    assert list(cell.state_dict()) == list(first)


@every_kind
def test_the_state_goes_over_from_live_pytorch_where_it_is(kind):
    ours = {str(options): LAYERS[kind](4, 3, **options) for options in ({}, {"bias": False}, DEEP)}
    assert len(ours[str(DEEP)].state_dict()) == 4 * len(ours["{}"].state_dict()) == 16
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    for options in ({}, {"bias": False}, DEEP) if torch else ():
        theirs = getattr(torch.nn, kind)(4, 3, **options).state_dict()
        layer = ours[str(options)]
        assert [(n, tuple(t.shape)) for n, t in theirs.items()] == [(n, t.shape) for n, t in layer.state_dict().items()]
        assert not any(layer.load_state_dict({n: t.numpy() for n, t in theirs.items()}))


def test_repr_is_that_of_pytorch():
    assert repr(nn.RNN(2, 3, 2, "relu", batch_first=True)) == (
        "RNN(2, 3, num_layers=2, nonlinearity=relu, batch_first=True)"
    )
    assert repr(nn.LSTM(2, 3, bias=False, proj_size=1)) == "LSTM(2, 3, proj_size=1, bias=False)"
    assert repr(nn.GRU(2, 3, 2, dropout=0.5, bidirectional=True)) == (
        "GRU(2, 3, num_layers=2, dropout=0.5, bidirectional=True)"
    )
    assert repr(nn.RNNCell(2, 3, bias=False, nonlinearity="relu")) == "RNNCell(2, 3, bias=False, nonlinearity=relu)"


# ---- dropout between layers


@every_kind
def test_dropout_acts_between_layers_while_training(kind):
    x = numbers(4, 50, 2)
    layer = make(kind, 2, 8, num_layers=2, dropout=0.5)
    plain, _ = make(kind, 2, 8, num_layers=2)(x)
    same(layer.eval()(x)[0], plain)
    first, second = layer.train()(x)[0], layer(x)[0]
    assert abs(first - second).max().item() > 1e-3
    assert abs(first - plain).max().item() > 1e-3
    single = make(kind, 2, 8, dropout=0.5)
    same(single(x)[0], single.eval()(x)[0])


@every_kind
def test_the_same_generator_drops_the_same(kind):
    x = numbers(4, 5, 2)
    same(*(make(kind, 2, 8, num_layers=3, dropout=0.5, seed=7)(x)[0] for _ in range(2)))


# ---- memory and errors


@every_kind
def test_a_sequence_may_be_longer_than_pythons_stack(kind):
    steps = 2 * sys.getrecursionlimit()
    layer, x = make(kind, 1, 1), ag.ones((steps, 1), requires_grad=True)
    layer(x)[0].sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.numpy()[0] != 0


GRU, LSTM, FIRST = nn.GRU(2, 3), nn.LSTM(2, 3, 2), nn.RNN(2, 3, batch_first=True, bidirectional=True)
PROJECTED = nn.LSTM(2, 3, proj_size=1)


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_float64_inputs_and_states_are_taken_by_float32_layers(kind):
    layer = LAYERS[kind](2, 3, 2, bidirectional=True)
    x, h = np.ones((4, 5, 2)), ag.zeros((4, 5, 3))
    state = (h, h) if kind == "LSTM" else h
    expected = layer(x.astype("float32"))[0]
    for given in ((x,), (x, state), (x.astype("float32"), state)):
        y = layer(*given)[0]
        assert y.dtype == np.float64
        np.testing.assert_allclose(y.detach(), expected.detach(), rtol=1e-5)
        layer.zero_grad()
        y.sum().backward()
        assert {p.grad.dtype for p in layer.parameters()} == {np.dtype("float32")}


X = ag.ones((4, 5, 2), "float32")
PACKED = nn.pack_padded_sequence(X, [4] * 5)
WRONG = [
    (lambda: GRU(ag.ones((4, 5, 3))), ShapeError, r"GRU\(2, 3\).*\(4, 5, 3\)[^$]*\(T, B, 2\)[^$]*GRU\(3, 3\)"),
    (lambda: FIRST(ag.ones((4, 5, 3))), ShapeError, r"batch_first=True.* Expected \(B, T, 2\)"),
    (lambda: GRU(ag.ones(2)), ShapeError, r"shape \(2,\)\. Expected \(T, B, 2\), or \(T, 2\)"),
    (lambda: GRU(ag.ones((1, 4, 5, 2))), ShapeError, r"shape \(1, 4, 5, 2\)"),
    (lambda: GRU(ag.tensor(1.0)), ShapeError, r"shape \(\)"),
    (lambda: GRU(X.astype("int64")), DTypeError, r"GRU\(2, 3\).*int64. Write x.astype"),
    (lambda: GRU(X[:0]), DataError, r"no steps, shape \(0, 5, 2\)"),
    (lambda: FIRST(X[:, :0]), DataError, r"no steps, shape \(4, 0, 2\)"),
    (lambda: GRU(X[:0, 0]), DataError, r"no steps, shape \(0, 2\)"),
    (lambda: GRU(X, ag.ones((5, 3))), ShapeError, r"h_0 of shape \(5, 3\) for a batch of 5. Expected \(1, 5, 3\)"),
    (lambda: GRU(X[:, 0], ag.ones((1, 5, 3))), ShapeError, r"for a single sequence. Expected \(1, 3\)"),
    (lambda: FIRST(X, ag.ones((4, 2, 3))), ShapeError, r"Expected \(2, 4, 3\): \(num_layers \* 2, B.*also with batch"),
    (lambda: LSTM(X, (ag.ones((2, 5, 3)), ag.ones((1, 5, 3)))), ShapeError, r"c_0 of shape \(1, 5, 3\)"),
    (
        lambda: LSTM(X, (ag.ones((2, 5, 3)),)),
        ArgumentError,
        r"of 1 parts. Expected h_0, c_0: write lstm\(x, \(h_0, c_0",
    ),
    (lambda: PROJECTED(X, (ag.ones((1, 5, 3)), ag.ones((1, 5, 3)))), ShapeError, r"h_0 .* Expected \(1, 5, 1\)"),
    (lambda: GRU(PACKED, ag.ones((1, 4, 3))), ShapeError, "h_0 .* for a batch of 5"),
    (lambda: GRU(X, lengths=[4, 3, 2, 1, 0]), DataError, r"GRU\(2, 3\) was given lengths \[4, 3, 2, 1, 0\]"),
    (lambda: GRU(X, lengths=[5, 4, 4, 4, 4]), DataError, "lengths up to 5 for sequences of 4 steps"),
    (lambda: GRU(X, lengths=[4, 4, 4, 4]), ShapeError, r"lengths of shape \(4,\) for a batch of 5"),
    (lambda: GRU(X, lengths=[1.5] * 5), DTypeError, "lengths of dtype float64"),
    (lambda: GRU(X[:, 0], lengths=[4]), ArgumentError, r"single sequence of shape \(4, 2\). Write x\[:length\]"),
    (lambda: GRU(PACKED, lengths=[4] * 5), ArgumentError, "lengths with a PackedSequence"),
    (
        lambda: nn.GRU(3, 3)(PACKED),
        ShapeError,
        r"GRU\(3, 3\).* PackedSequence of shape \(20, 2\). Expected \(\.\.\., 3",
    ),
    (lambda: GRU(nn.PackedSequence(X[:, 0], ag.tensor([1, 2, 1]))), DataError, r"batch_sizes \[1, 2, 1\]"),
    (lambda: nn.RNN(0, 3), ArgumentError, "RNN was given input_size=0, hidden_size=3, num_layers=1"),
    (lambda: nn.GRU(2, 3, 0), ArgumentError, "num_layers=0. Expected at least 1"),
    (lambda: nn.GRUCell(2, 0), ArgumentError, "GRUCell was given input_size=2, hidden_size=0"),
    (lambda: nn.RNN(2, 3, nonlinearity="gelu"), ArgumentError, "RNN was given nonlinearity='gelu'"),
    (lambda: nn.RNNCell(2, 3, nonlinearity="gelu"), ArgumentError, "RNNCell .* Expected 'tanh' or 'relu'"),
    (lambda: nn.LSTM(2, 3, proj_size=3), ArgumentError, "proj_size=3 for hidden_size=3. Expected less"),
    (lambda: nn.GRUCell(2, 3)(X), ShapeError, r"GRUCell\(2, 3\).*\(4, 5, 2\). Expected \(N, 2\)[^$]*GRU for a whole"),
    (lambda: nn.GRUCell(2, 3)(X[0], ag.ones((4, 3))), ShapeError, r"h of shape \(4, 3\) .* Expected \(5, 3\)"),
    (lambda: nn.LSTMCell(2, 3)(X[0], ag.ones((3, 5, 3))), ArgumentError, r"state of 3 parts. Expected \(h, c\)"),
    (lambda: nn.RNNCell(2, 3)(X[0].astype("int64")), DTypeError, "int64"),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
