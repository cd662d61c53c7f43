"""The layers that are timed: both libraries compute the same; what follows from times, on made-up ones."""

from importlib.util import find_spec

import numpy as np
import pytest

import autograd as ag
from bench import layers
from bench.kernels import serve
from bench.kernels.case import COMPILED, JAX, OURS, TORCH
from bench.kernels.libraries import LIBRARIES, missing
from bench.kernels.measure import Players
from bench.kernels.result import Result
from bench.layers import measure, result
from bench.layers.cases import CASES, CONVOLUTIONS, LAYERS
from bench.layers.layer import BOTH, FORWARD, MODES

SHRINK = 64
CPU = 2


@pytest.fixture(scope="module")
def room():
    """Our library, in this process."""
    return serve.Room(LIBRARIES["ours"](ag.get_num_threads()), SHRINK, CASES)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(serve, "enough", lambda statement, lasting: 1)


def test_the_grid_of_convolutions_has_every_kind():
    assert len({layer.name for layer in CONVOLUTIONS}) == len(CONVOLUTIONS) >= 20
    kernels = [layer.arguments[2] for layer in CONVOLUTIONS]
    assert {1, 3, 5} <= set(kernels)
    assert any(layer.settings.get("stride") == 2 and layer.arguments[2] == 3 for layer in CONVOLUTIONS)
    assert any(layer.settings.get("groups") == layer.arguments[0] for layer in CONVOLUTIONS)
    assert any(all(n % 2 for n in layer.shape[1:]) for layer in CONVOLUTIONS)
    assert all(len(layer.shape) == 4 and layer.shape[1] == layer.arguments[0] for layer in CONVOLUTIONS)


def test_the_other_heavy_layers_are_there_with_the_promised_sizes():
    kinds = {layer.kind: layer for layer in LAYERS.values()}
    assert {"LSTM", "MultiheadAttention", "LayerNorm", "BatchNorm2d", "MaxPool2d", "Embedding"} <= set(kinds)
    assert (kinds["LSTM"].arguments, kinds["LSTM"].shape) == ((32, 128), (50, 32, 32))
    assert (kinds["MultiheadAttention"].arguments, kinds["MultiheadAttention"].shape) == ((128, 4), (16, 64, 128))
    assert {k for k, layer in kinds.items() if layer.most == 1.0} == {"LSTM", "MultiheadAttention", "LayerNorm"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAYERS)
def test_a_statement_gives_the_output_and_every_gradient(name, mode):
    layer = LAYERS[name]
    case = CASES[f"{name}: {mode}"]
    x, *values = case.arrays(SHRINK)
    assert x.shape[layer.batch_axis] == max(4, layer.shape[layer.batch_axis] // SHRINK)
    found = case.sides[OURS].make(None, x, *values)()
    if mode == FORWARD:
        assert not found.requires_grad
        assert found.dtype == np.float32
        return
    shapes = [g.shape for g in found[1:]]
    assert shapes == [a.shape for a in ([] if layer.numbers else [x]) + values]
    assert {g.dtype for g in found} == {np.dtype(np.float32)}
    assert any(np.abs(g.numpy()).max() > 0 for g in found)


def test_forward_is_as_in_prediction():
    layer = LAYERS["BatchNorm2d 32x64x28x28"]
    x, gain, shift = 3 + layer.arrays(np.random.default_rng(0), (4,))[0], np.ones(64, "f"), np.zeros(64, "f")
    predicted, trained = (layer.sides(mode)[OURS].make(None, x, shift, gain)() for mode in MODES)
    np.testing.assert_allclose(predicted.numpy(), x, rtol=1e-4)  # running statistics are as at the start
    assert abs(trained[0].numpy().mean()) < 1e-5


@pytest.mark.parametrize(("library", "label"), [("torch", TORCH), ("jax", JAX)])
def test_a_peer_agrees_in_a_process_of_its_own(room, quick, library, label):
    players = Players(CPU, SHRINK, True, "bench.layers.serve")
    with players.stack:
        player = players[library]
        if player is None:
            assert find_spec(library) is None
            assert players.absent[library] == missing(library)
            return
        off = {}
        for name, case in CASES.items():
            ours, theirs = room.answer("case", name, OURS), player.ask("case", name, label)
            far = case.apart(theirs.get("figures", ()), ours["figures"])
            off |= {} if far <= 1 else {name: theirs.get("failed", far)}
            room.answer("forget")
            player.ask("forget")
    assert off == {}


def test_every_layer_is_beside_torch_and_jax_and_compiled_where_there_is_something_to_fuse():
    for case in CASES.values():
        alone = case.name.startswith("Conv2d")
        assert set(case.sides) == {OURS, TORCH, JAX} | (set() if alone else {COMPILED})


def test_a_compiled_layer_agrees(room, quick):
    players = Players(CPU, SHRINK, True, "bench.layers.serve")
    name = f"LayerNorm 512, 4096 rows: {BOTH}"
    with players.stack:
        player = players["torch.compile"]
        if player is None:
            assert players.absent["torch.compile"]  # no PyTorch, or no C++ compiler
            return
        theirs = player.ask("case", name, COMPILED)
    assert CASES[name].apart(theirs["figures"], room.answer("case", name, OURS)["figures"]) <= 1
    room.answer("forget")


def test_a_line_has_every_peer_that_was_timed():
    found = timed(f"LSTM: {FORWARD}", [2e-6], [4e-6])
    found.seconds[JAX] = [7e-6]
    head, line = layers.show([found]).splitlines()
    assert head.split("  ")[2:5] == ["torch", "jax.jit", "times as fast"]
    assert line.split() == ["LSTM", "2", "4", "7", "2.00"]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_figures_tell_a_wrong_gradient(which):
    case = CASES[f"Conv2d 3x3, 64x16x14x14 to 32: {BOTH}"]
    arrays = case.arrays(SHRINK)
    found = [a.numpy() for a in case.sides[OURS].make(None, *arrays)()]
    right = case.figures(arrays, found)
    found[1 + which] = found[1 + which] * 1.001
    assert case.apart(case.figures(arrays, found), right) > 1


# ---- what follows


def timed(name, ours, torch=None, rows=(), notes=()):
    seconds = {OURS: ours} | ({} if torch is None else {TORCH: torch})
    return Result(name, list(rows), list(notes), 2, 0, seconds)


def test_the_grid_counts_by_its_geometric_mean_in_each_round():
    twice, half = timed("a: forward", [2.0, 4.0], [1.0, 2.0]), timed("b: forward", [1.0, 9.0], [2.0, 9.0])
    mean, worst = result.together([twice, half, timed("c: forward", [1.0, 1.0])], FORWARD)
    assert mean.what == "Conv2d, forward: ours to torch, geometric mean over 2 shapes"
    assert mean.figure.median == pytest.approx((1.0 + 2**0.5) / 2)
    assert (mean.target, mean.verdict) == (pytest.approx(1 / 1.3, abs=1e-3), "missed")
    assert (worst.what, worst.figure.median) == ("Conv2d, forward: ours to torch, at worst (a)", 2.0)
    assert (worst.target, worst.verdict) == (1.5, "missed")


def test_without_a_peer_nothing_follows():
    assert result.together([timed("a: forward", [1.0])], FORWARD) == []
    assert result.together([], BOTH) == []


def test_both_ways_of_a_layer_stand_on_one_line():
    found = [
        timed(f"Conv2d x: {FORWARD}", [1e-6, 2e-6, 4e-6], [2e-6, 4e-6, 8e-6]),
        timed(f"Conv2d x: {BOTH}", [10e-6] * 3, [5e-6] * 3, notes=["torch is old."]),
        timed(f"LSTM: {BOTH}", [7e-6], notes=["torch is old."]),
    ]
    head, first, second, _, note = layers.show(found).splitlines()
    assert head.split("  ")[0] == "microseconds"
    assert first.split() == ["Conv2d", "x", "2", "4", "2.00", "10", "5", "0.50"]
    assert second.split() == ["LSTM", "7"]
    assert second.index("7") == first.index("10")
    assert note == "torch is old."


def test_the_grid_is_judged_after_its_layers(monkeypatch):
    asked = []

    def fake(case, players, repeats):
        asked.append((case.name, players.module, players.threads, repeats))
        return timed(case.name, [3.0], [4.0])

    monkeypatch.setattr(measure, "measure", fake)
    found = layers.run(repeats=7, only=["Conv2d 1x1", "LSTM"])
    names = [name for name, *_ in asked]
    assert [r.case for r in found] == [*names, "Conv2d: forward", "Conv2d: forward and backward"]
    assert len(names) == 2 * 5
    assert {tuple(rest) for _, *rest in asked} == {("bench.layers.serve", measure.cores(), 7)}
    assert [row.figure.median for r in found[-2:] for row in r.rows] == pytest.approx([0.75] * 4)
    assert "geometric mean over 4 shapes" in layers.show(found)
