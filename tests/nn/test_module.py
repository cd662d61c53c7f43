"""Modules: what walking finds, under which names, and that loading is all or nothing."""

import copy
import pickle
import re

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, CheckpointError, DTypeError


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
    state["layers.0.bais"] = state.pop("layers.0.bias")
    state["heads.a.weight"] = [["x", "y", "z"]]
    before = {n: t.numpy().copy() for n, t in zoo.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"does not fit this Zoo, and nothing of it was loaded") as caught:
        zoo.load_state_dict(state)
    for line in (
        "missing: scale of shape ()\n",
        "missing: layers.0.bias of shape (3,) (nearest: layers.0.bais",
        "unexpected: layers.0.bais (nearest: layers.0.bias",
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
    for given in ("line.npz", None, line):
        with pytest.raises(CheckpointError, match=rf"was given {type(given).__name__}. (.|\n)*nn.load\(path\)"):
            line.load_state_dict(given)


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
    with pytest.raises(DTypeError, match=r"to\(\) was given 'cpu'. Expected a dtype(.|\n)*leave out .to\(device\)"):
        zoo.to("cpu")


def test_casting_by_name():
    assert nn.Linear(1, 1).double().weight.dtype == np.float64
    assert nn.Linear(1, 1).double().float().weight.dtype == np.float32


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


@pytest.mark.parametrize("layer", [nn.Linear(2, 2), nn.Conv1d(2, 2, 1), nn.LayerNorm(2), nn.MaxPool1d(2)])
def test_an_input_that_is_no_array_is_named(layer):
    kind = type(layer).__name__
    with pytest.raises(DTypeError, match=rf"{kind} was given a list as input. .*: write x = ag.tensor\(x\)"):
        nn.Sequential(nn.Identity(), layer)([[1.0, 2.0]])
    with pytest.raises(DTypeError, match=rf"{kind} was given a tuple as input. .*: write y, state = layer\(x\)"):
        layer((1.0, 2.0))
    with pytest.raises(DTypeError, match=rf"{kind} was given the class ReLU as input"):
        layer(nn.ReLU)
    with pytest.raises(DTypeError, match=rf"{kind} was given a dict as input. Expected a Tensor or an array\.$"):
        layer({"x": [1.0, 2.0]})
    frame = type("Frame", (), {"__array__": lambda self: np.ones((1, 2)), "shape": (1, 2)})()
    with pytest.raises(DTypeError, match=rf"{kind} was given a Frame as input. .*: write x = ag.tensor\(x\)"):
        layer(frame)
    foreign = type("Tensor", (), {"shape": (1, 2), "ndim": 2, "dtype": type("dtype", (), {})(), "__module__": "torch"})
    with pytest.raises(DTypeError, match=rf"{kind} was given a Tensor of torch as input"):
        layer(foreign())


def test_an_error_of_ones_own_stays():
    class Own(nn.Module):
        def forward(self, x):
            return x.shaep

    with pytest.raises(AttributeError, match="'list' object has no attribute 'shaep'"):
        Own()([1.0])
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        nn.Linear(1, 1).wieght  # noqa: B018 - looked up for its error


def test_apply_calls_children_before_parents_and_each_once():
    shared = nn.Tanh()
    model = nn.Sequential(nn.Sequential(nn.ReLU(), shared), shared)
    seen = []
    assert model.apply(seen.append) is model
    assert [type(m).__name__ for m in seen] == ["ReLU", "Tanh", "Sequential", "Sequential"]


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


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_parts_are_found_by_name():
    zoo = Zoo()
    assert zoo.get_submodule("") is zoo
    assert zoo.get_submodule("layers.0") is zoo.layers[0]
    assert zoo.get_parameter("heads.pair.1") is zoo.heads["pair"][1]
    assert zoo.get_buffer("count") is zoo.count
    shared = nn.ReLU()
    assert nn.Sequential(shared, shared).get_submodule("1") is shared
    assert [n for n, _ in nn.Sequential(shared, shared).named_modules(remove_duplicate=False)] == ["", "0", "1"]
    assert [n for n, _ in zoo.named_buffers(prefix="net")] == ["net.count"]
    assert list(nn.Linear(1, 1).state_dict(prefix="encoder.")) == ["encoder.weight", "encoder.bias"]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda z: z.get_submodule("layer.0"),
            r"Zoo has no module 'layer.0' \(nearest: layers.0, layers.1\). It has: ",
        ),
        (lambda z: z.get_parameter("layers.0.wieght"), r"no parameter 'layers.0.wieght' \(nearest: layers.0.weight"),
        (lambda z: z.get_parameter("count"), "Zoo has no parameter 'count'"),
        (lambda z: z.get_buffer("scale"), "Zoo has no buffer 'scale'. It has: count"),
        (lambda z: z.freeze("layer"), r"Zoo has no parameter or module 'layer' \(nearest: .*\). Expected a name"),
        (lambda z: z.unfreeze("*.w"), r"no parameter or module '\*.w'"),
        (lambda z: z.freeze("scale"), r"freeze was given scale, a plain Tensor.*Write nn.Parameter"),
        (lambda z: z.get_submodule("layer"), "It has: layers.0"),
        (lambda z: z.register_buffer("a.b", [1.0]), r"Zoo was given the name 'a.b' for an attribute. Expected a name"),
        (lambda z: z.register_buffer("scale", [1.0]), "the name 'scale' for an attribute"),
        (lambda z: z.register_parameter("", None), "the name '' for an attribute"),
        (lambda z: z.register_parameter("new", ag.ones(2)), r"was given Tensor for 'new'. Write nn.Parameter\(...\)"),
        (lambda z: z.register_module("new", nn.ReLU), "was given type for 'new'. Expected a Module"),
    ],
)
def test_names_that_are_wrong(ask, words):
    zoo = Zoo()
    before = {n: p.requires_grad for n, p in zoo.named_parameters()}
    with pytest.raises(ArgumentError, match=words):
        ask(zoo)
    assert {n: p.requires_grad for n, p in zoo.named_parameters()} == before


def test_registered_parts_are_attributes():
    m = nn.Module()
    m.register_buffer("mean", np.arange(2.0))
    m.register_buffer("mask", ag.tensor([True]), persistent=False)
    m.register_buffer("later", None)
    m.register_parameter("gain", nn.Parameter([1.0]))
    m.register_parameter("none", None)
    m.add_module("act", nn.PReLU())
    assert (m.later, m.none, m.mean.tolist()) == (None, None, [0.0, 1.0])
    assert [n for n, _ in m.named_buffers()] == ["mean", "mask"]
    assert list(m.state_dict()) == ["gain", "mean", "act.weight"]
    assert m.load_state_dict(m.state_dict()) == ([], [])
    for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m)), copy.copy(m)):
        assert (twin.mask.persistent, twin.mean.persistent) == (False, True)
        assert isinstance(twin.mask, nn.Buffer)
    assert m.to("float32").mean.dtype == np.float32
    m.wide = nn.Buffer(np.ones(2), persistent=False)
    assert m.to("float32").wide.dtype == np.float32


def test_what_is_assigned_to_the_name_of_a_registered_buffer_is_a_buffer():
    m = nn.Module()
    m.register_buffer("mean", ag.zeros(2))
    m.register_buffer("later", None, persistent=False)
    m.mean = 0.9 * m.mean + 0.1
    m.later = ag.ones(3)
    assert [n for n, _ in m.named_buffers()] == ["mean", "later"]
    assert m.state_dict()["mean"].tolist() == [0.1, 0.1]
    assert list(m.state_dict()) == ["mean"]
    m.load_state_dict({"mean": [5.0, 6.0]})
    assert m.mean.tolist() == [5.0, 6.0]
    for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m)), copy.copy(m)):
        twin.mean = ag.zeros(2)
        assert [n for n, _ in twin.to("float32").named_buffers()] == ["mean", "later"]
        assert twin.mean.dtype == np.float32
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    m.mean = w * w
    assert list(m.parameters()) == []
    m.mean.sum().backward()  # still where it was on the tape
    assert w.grad.tolist() == [2.0, 4.0]
    m.mean = nn.Parameter([1.0])
    assert [n for n, _ in m.named_parameters()] == ["mean"]


def test_freezing_by_name():
    model = nn.Sequential({"encoder": nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), "head": nn.Linear(2, 1)})

    def trained():
        return [n for n, p in model.named_parameters() if p.requires_grad]

    assert model.freeze("encoder") is model
    assert trained() == ["head.weight", "head.bias"]
    model(ag.ones((1, 2), dtype="float32")).sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is not None] == trained()
    assert model.unfreeze("encoder.1", "encoder.*.weight") is model
    assert trained() == ["encoder.0.weight", "encoder.1.weight", "encoder.1.bias", "head.weight", "head.bias"]
    model.freeze()
    assert trained() == []
    assert len(list(model.unfreeze().parameters())) == len(trained()) == 6
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    tied.freeze("1.weight")  # a name that it has besides its first
    assert not tied[0].weight.requires_grad


@pytest.mark.parametrize("make", [lambda ps: optim.SGD(ps, 0.1, momentum=0.9), lambda ps: optim.Adam(ps, 0.1)])
def test_training_goes_on_in_another_dtype(make):
    def losses(dtypes):
        ag.random.seed(0)
        model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer, x = make(list(model.parameters())), np.linspace(-1, 1, 16).reshape(8, 2)
        found = []
        for dtype in dtypes:
            model.to(dtype)
            for _ in range(10):
                optimizer.zero_grad()
                error = model(ag.tensor(x, dtype=dtype)) - ag.tensor(x.sum(1, keepdims=True), dtype=dtype)
                loss = ag.mean(error * error)
                loss.backward()
                optimizer.step()
                found.append(loss.item())
            assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
        return found

    moved = losses(["float32", "float64", "float32"])
    np.testing.assert_allclose(moved, losses(["float32"] * 3), rtol=2e-4, atol=1e-6)
    assert moved[-1] < 0.2 * moved[0]


def test_settings_of_pytorchs_layers_that_ours_have_not():
    class Free(nn.Module):
        def __init__(self, **settings):
            self.settings = settings

    for make, message in (
        (lambda: nn.ReLU(inplace=True), "ReLU was given inplace, which it has not: operations make new arrays."),
        (lambda: nn.LeakyReLU(0.1, inplace=True), "LeakyReLU was given inplace"),
        (lambda: nn.Linear(2, 3, device="cpu"), "Linear was given device, which it has not: there is one device."),
        (
            lambda: nn.AdaptiveMaxPool2d(2, return_indices=True),
            "given return_indices, which it has not: nn.MaxPool2d has it",
        ),
        (
            lambda: nn.Embedding(5, 3, max_norm=1.0),
            "write regularize.MaxNorm(max).apply_(layer.weight)",
        ),
        (
            lambda: nn.MSELoss(size_average=True),
            "given size_average, which it has not: write reduction",
        ),
        (lambda: nn.ReLU(3), "ReLU() takes no arguments. Write ReLU()(x) to call it."),
        (lambda: nn.Linear(2, 3, nothing=1), "unexpected keyword argument 'nothing'"),
    ):
        with pytest.raises(TypeError, match=re.escape(message)):
            make()
    assert Free(inplace=True, device=1).settings == {"inplace": True, "device": 1}
