"""Modules: what walking finds, under which names, and that loading is all or nothing."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, CheckpointError, DTypeError, IndexOutOfRange


class Zoo(nn.Module):
    """Everything that can be an attribute, without super().__init__()."""

    def __init__(self):
        self.sizes = [1, 2]
        self.layers = [nn.Linear(2, 3), nn.ReLU()]
        self.heads = {"a": nn.Linear(3, 1, bias=False), "pair": (nn.Parameter([1.0]), nn.Parameter([2.0, 3.0]))}
        self.scale = ag.tensor(0.5, dtype="float32", requires_grad=True)
        self.constant = ag.tensor([1.0, 2.0])
        self.count = nn.Buffer([7])
        self.frozen = nn.Parameter([4.0], requires_grad=False)
        self.owner = self

    def forward(self, x):
        return self.heads["a"](self.layers[1](self.layers[0](x))) * self.scale


NAMES = ["heads.pair.0", "heads.pair.1", "scale", "frozen", "layers.0.weight", "layers.0.bias", "heads.a.weight"]


def test_parameters_buffers_and_children_are_found_in_nested_containers():
    zoo = Zoo()
    assert [n for n, _ in zoo.named_parameters()] == NAMES
    assert [n for n, _ in zoo.named_parameters(recurse=False)] == NAMES[:4]
    assert list(map(id, zoo.parameters())) == [id(p) for _, p in zoo.named_parameters()]
    assert [(n, b.tolist()) for n, b in zoo.named_buffers()] == [("count", [7])]
    assert [b is zoo.count for b in zoo.buffers()] == [True]
    assert [n for n, _ in zoo.named_children()] == ["layers.0", "layers.1", "heads.a", "owner"]
    assert [n for n, _ in zoo.named_modules()] == ["", "layers.0", "layers.1", "heads.a"]
    assert list(zoo.modules()) == [zoo, *zoo.layers, zoo.heads["a"]]
    assert list(zoo.children()) == [*zoo.layers, zoo.heads["a"], zoo]


def test_state_has_parameters_then_buffers_of_each_module_in_turn():
    assert list(Zoo().state_dict()) == [*NAMES[:4], "count", *NAMES[4:]]
    assert not any(t.requires_grad for t in Zoo().state_dict().values())


def test_a_shared_parameter_is_one_parameter_under_two_names():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    assert [n for n, _ in model.named_parameters()] == ["0.weight"]
    assert list(model.state_dict()) == ["0.weight", "1.weight"]
    twice = nn.Sequential(model[0], model[0])
    assert list(twice.state_dict()) == ["0.weight", "1.weight"]
    assert [n for n, _ in twice.named_modules()] == ["", "0"]


def test_state_is_a_snapshot():
    line = nn.Linear(1, 1)
    state, before = line.state_dict(), line.weight.numpy().copy()
    with ag.no_grad():
        line.weight += 1.0
        line.weight[0] = 9.0
    assert state["weight"].numpy() == before
    line.load_state_dict(state)
    assert line.weight.numpy() == before


def test_loading_casts_and_copies():
    line = nn.Linear(2, 1)
    weight = np.array([[1.0, 2.0]])
    assert line.load_state_dict({"weight": weight, "bias": [3]}) == ([], [])
    weight[:] = 0
    assert line.weight.tolist() == [[1.0, 2.0]]
    assert line.bias.tolist() == [3.0]
    assert line.weight.dtype == line.bias.dtype == np.float32
    assert line.weight.requires_grad
    assert isinstance(line.weight, nn.Parameter)


def test_what_does_not_fit_is_listed_in_one_error_and_nothing_is_loaded():
    zoo = Zoo()
    state = {n: t.numpy() * 2 for n, t in zoo.state_dict().items()}
    del state["scale"]
    state["frozen"] = np.ones((1, 1))
    state["count"] = np.array([1.5])
    state["layers.0.wieght"] = state["layers.0.weight"]
    state["heads.a.weight"] = [["x", "y", "z"]]
    before = {n: t.numpy().copy() for n, t in zoo.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"does not fit this Zoo, and nothing of it was loaded") as caught:
        zoo.load_state_dict(state)
    for line in (
        "missing: scale of shape ()",
        "unexpected: layers.0.wieght (nearest: layers.0.weight",
        "wrong shape: frozen is (1, 1) in the state, (1,) in the module",
        "wrong dtype: count is float64 in the state, int64 in the module",
        "no array: heads.a.weight (",
        "Write strict=False",
    ):
        assert line in str(caught.value)
    for name, t in zoo.state_dict().items():
        np.testing.assert_array_equal(t, before[name])


def test_loading_by_name_reports_what_it_passed_over_but_not_wrong_shapes():
    line = nn.Linear(2, 1)
    report = line.load_state_dict({"weight": [[1.0, 2.0]], "gain": 1.0}, strict=False)
    assert report.missing_keys == ["bias"]
    assert report.unexpected_keys == ["gain"]
    assert line.weight.tolist() == [[1.0, 2.0]]
    with pytest.raises(CheckpointError, match=r"wrong shape: weight is \(2,\)"):
        line.load_state_dict({"weight": [1.0, 2.0]}, strict=False)


def test_training_flag_reaches_every_module():
    zoo = Zoo()
    assert zoo.training
    assert zoo.eval() is zoo
    assert {m.training for m in zoo.modules()} == {False}
    zoo.train()
    assert {m.training for m in zoo.modules()} == {True}
    assert nn.Module.training is True


def test_casting_moves_floating_values_only_and_keeps_the_leaves():
    zoo = Zoo()
    leaves = list(zoo.parameters())
    zoo(ag.ones((1, 2), dtype="float32")).sum().backward()
    assert zoo.to("float64") is zoo
    assert list(map(id, zoo.parameters())) == list(map(id, leaves))
    assert {p.dtype for p in leaves} == {np.dtype("float64")}
    assert (zoo.count.dtype, zoo.constant.dtype) == (np.int64, np.float64)
    assert [p.requires_grad for p in leaves] == [n != "frozen" for n in NAMES]
    assert [p.grad for p in leaves] == [None] * 7
    with pytest.raises(DTypeError, match=r"dtype int32. Expected a floating one"):
        zoo.to("int32")


def test_casting_to_the_same_dtype_keeps_gradients():
    line = nn.Linear(1, 1)
    line(ag.ones((1, 1), dtype="float32")).sum().backward()
    assert line.to("float32").weight.grad.tolist() == [[1.0]]


def test_gradients_are_forgotten_and_parameters_frozen():
    line = nn.Linear(1, 1)
    line(ag.ones((1, 1), dtype="float32")).sum().backward()
    line.zero_grad()
    assert [p.grad for p in line.parameters()] == [None, None]
    assert not line.requires_grad_(False)(ag.ones((1, 1), dtype="float32")).requires_grad
    assert [n for n, _ in line.named_parameters()] == ["weight", "bias"]
    assert line.requires_grad_().weight.requires_grad


def test_apply_calls_children_before_parents():
    model = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh())
    seen = []
    assert model.apply(lambda m: seen.append(type(m).__name__)) is model
    assert seen == ["Tanh", "ReLU", "Sequential", "Sequential"]


def test_copies_are_independent_and_keep_sharing():
    zoo = Zoo()
    zoo.also = zoo.scale
    for twin in (copy.deepcopy(zoo), pickle.loads(pickle.dumps(zoo))):
        assert twin.also is twin.scale
        assert twin.owner is twin
        assert isinstance(twin.frozen, nn.Parameter)
        assert isinstance(twin.count, nn.Buffer)
        with ag.no_grad():
            twin.scale += 1.0
        assert (twin.scale.item(), zoo.scale.item()) == (1.5, 0.5)
        assert [n for n, _ in twin.named_parameters()] == [n for n, _ in zoo.named_parameters()]


def test_parameters_keep_the_dtype_of_arrays_and_own_their_memory():
    array = np.array([1.0, 2.0])
    p = nn.Parameter(array)
    array[:] = 0
    assert (p.dtype, p.tolist()) == (np.float64, [1.0, 2.0])
    assert nn.Parameter(1.5).dtype == nn.Parameter([1.5]).dtype == np.float32
    assert nn.Parameter(ag.ones(2, dtype="float16")).dtype == np.float16
    assert nn.Parameter(p * 2).is_leaf
    assert type(p * 2) is ag.Tensor
    assert (nn.Buffer([1.0]).dtype, nn.Buffer([1]).dtype) == (np.float32, np.int64)
    assert not nn.Buffer(p).requires_grad
    with pytest.raises(DTypeError, match="requires_grad was asked for on dtype int64"):
        nn.Parameter([1, 2])


def test_repr_is_nested():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential({"act": nn.LeakyReLU(0.1)}))
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (act): LeakyReLU(negative_slope=0.1)\n"
        "  )\n"
        ")"
    )
    assert "(owner): ..." in repr(Zoo())


def test_summary_counts_shared_and_frozen_parameters_once_each():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2), nn.Linear(2, 2))
    model[3].weight = nn.Parameter(np.zeros((2, 2)), requires_grad=False)
    model.tied = model[2].weight
    lines = model.summary((5, 1, 4, 4)).splitlines()
    assert [line.split("  ")[0] for line in lines[3:7]] == ["0", "1", "2", "3"]
    assert [line.split()[-1] for line in lines[2:7]] == ["16", "20", "0", "2", "6"]
    assert "(5, 2, 2, 2)" in lines[3]
    assert "(5, 2)" in lines[6]
    assert lines[-1] == "parameters: 44, of which trainable: 40; 192 bytes"
    assert "output" not in model.summary()


def test_summary_runs_in_evaluation_mode_and_leaves_no_trace():
    class Probe(nn.Module):
        def forward(self, x):
            self.seen = (self.training, ag.is_grad_enabled())
            return {"any": x}

    probe = Probe()
    table = nn.Sequential(nn.Linear(1, 1), probe).summary(np.ones((2, 1), "float32"))
    assert probe.seen == (False, False)
    assert probe.training
    assert "dict" in table
    with pytest.raises(ag.errors.ShapeError, match=r"Linear.*was given an input of shape \(2, 3\)"):
        nn.Sequential(nn.Linear(1, 1), probe).summary((2, 3))
    assert probe.training


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


# ---- containers


def test_sequential_is_a_row():
    layers = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    model = nn.Sequential(*layers)
    assert list(model) == layers
    assert (len(model), model[0], model[-1]) == (3, layers[0], layers[2])
    model.append(nn.Tanh())
    model[1] = nn.Sigmoid()
    assert list(vars(model)) == ["0", "1", "2", "3"]
    x = ag.ones((4, 2), dtype="float32")
    expected = ag.tanh(layers[2](ag.sigmoid(layers[0](x))))
    np.testing.assert_array_equal(model(x).detach(), expected.detach())
    named = nn.Sequential({"first": layers[0], "second": layers[2]})
    assert list(named.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    with pytest.raises(IndexOutOfRange, match=r"Sequential was indexed with 4. It holds 4 modules"):
        model[4]


def test_module_list_and_dict():
    rows = nn.ModuleList([nn.ReLU()])
    rows.extend([nn.Tanh(), nn.Linear(1, 1)])
    assert [type(m).__name__ for m in rows] == ["ReLU", "Tanh", "Linear"]
    assert list(rows.state_dict()) == ["2.weight", "2.bias"]
    heads = nn.ModuleDict({"a": nn.ReLU()})
    heads["b"] = nn.Tanh()
    heads["a"] = nn.Sigmoid()
    assert heads.keys() == ["a", "b"]
    assert [type(m).__name__ for m in heads.values()] == ["Sigmoid", "Tanh"]
    assert heads.items()[1] == ("b", heads["b"])
    assert (len(heads), "b" in heads, "c" in heads) == (2, True, False)
    with pytest.raises(ArgumentError, match=r"ModuleDict has no module 'c'. It holds: a, b"):
        heads["c"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Sequential(nn.ReLU), "Sequential was given ReLU, which is not a Module"),
        (lambda: nn.Sequential(nn.functional.relu), "which is not a Module"),
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), r"a module named 'a\.b'. Expected a name without dots"),
        (lambda: nn.ModuleDict({"forward": nn.ReLU()}), "named 'forward'"),
        (lambda: nn.Sequential({"": nn.ReLU()}), "named ''"),
    ],
)
def test_containers_say_what_they_do_not_take(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()
