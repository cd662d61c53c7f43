"""Containers: rows, lists and dicts of modules, by the names that PyTorch gives what is in them."""

import importlib.util
import json
import runpy
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, IndexOutOfRange

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])


@pytest.mark.parametrize("source", SOURCES)
def test_names_are_those_of_pytorch(source):
    if source == "live":
        import torch

        expected = FIGURE["names"](FIGURE["nested"](torch.nn))
    else:
        expected = FIGURE["load"]()["names"]
    found = FIGURE["names"](FIGURE["nested"](nn))
    assert list(found["state"]) == list(expected["state"])
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(expected))
    assert len(found["modules"]) == 30


def kinds(modules):
    return [type(m).__name__ for m in modules]


def test_sequential_is_a_row():
    layers = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    model = nn.Sequential(*layers)
    assert list(model) == layers
    assert (len(model), model[0], model[-1]) == (3, layers[0], layers[2])
    assert model.append(nn.Tanh()) is model
    model[1] = nn.Sigmoid()
    assert list(vars(model)) == ["0", "1", "2", "3"]
    x = ag.ones((4, 2), dtype="float32")
    expected = ag.tanh(layers[2](ag.sigmoid(layers[0](x))))
    np.testing.assert_array_equal(model(x).detach(), expected.detach())
    named = nn.Sequential(OrderedDict(first=layers[0], second=layers[2]))
    assert list(named.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    assert named.first is layers[0]
    with pytest.raises(IndexOutOfRange, match=r"Sequential was indexed with 4. It holds 4 modules"):
        model[4]


def test_a_slice_shares_its_modules():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).eval()
    part = model[1:]
    assert (type(part), list(part), part.training) == (nn.Sequential, [model[1], model[2]], False)
    assert list(part.state_dict()) == ["2.weight", "2.bias"]
    assert list(vars(part.append(nn.Tanh()))) == ["training", "1", "2", "3"]
    assert len(model) == 3
    assert model[::-1][0] is model[2]
    rows = nn.ModuleList(model)
    assert list(rows[1:].state_dict()) == ["1.weight", "1.bias"]
    named = nn.Sequential({"a": nn.ReLU(), "b": nn.Tanh()})
    assert repr(named[:1].append(nn.Tanh())) == "Sequential(\n  (a): ReLU()\n  (1): Tanh()\n)"


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *ms: nn.ModuleList(ms)])
def test_rows_change_as_lists_do(kind):
    def row():
        return kind(nn.ReLU(), nn.Tanh(), nn.Sigmoid())

    def changed(change):
        ours = row()
        result = change(ours, nn.GELU)
        assert list(map(str, range(len(ours)))) == list(vars(ours))
        return kinds(ours), result

    assert changed(lambda r, m: r.insert(1, m()))[0] == ["ReLU", "GELU", "Tanh", "Sigmoid"]
    assert changed(lambda r, m: r.insert(-1, m()))[0] == ["ReLU", "Tanh", "GELU", "Sigmoid"]
    assert changed(lambda r, m: r.insert(9, m()))[0] == ["ReLU", "Tanh", "Sigmoid", "GELU"]
    assert changed(lambda r, m: r.extend([m(), m()]))[0] == ["ReLU", "Tanh", "Sigmoid", "GELU", "GELU"]
    assert changed(lambda r, m: r.extend(r))[0] == ["ReLU", "Tanh", "Sigmoid"] * 2
    assert changed(lambda r, m: r.__iadd__([m()]))[0] == ["ReLU", "Tanh", "Sigmoid", "GELU"]
    assert changed(lambda r, m: r.__delitem__(0))[0] == ["Tanh", "Sigmoid"]
    assert changed(lambda r, m: r.__delitem__(slice(0, 2)))[0] == ["Sigmoid"]
    after, popped = changed(lambda r, m: r.pop(0))
    assert (after, type(popped).__name__) == (["Tanh", "Sigmoid"], "ReLU")
    assert type(changed(lambda r, m: r.pop())[1]).__name__ == "Sigmoid"
    both = row() + row()
    assert (kinds(both), type(both)) == (["ReLU", "Tanh", "Sigmoid"] * 2, type(row()))
    with pytest.raises(IndexOutOfRange, match=r"was indexed with 3. It holds 3 modules"):
        del row()[3]
    with pytest.raises(IndexOutOfRange, match="was indexed with -4"):
        row().pop(-4)


def test_module_list_and_dict():
    rows = nn.ModuleList([nn.ReLU()])
    rows.extend([nn.Tanh(), nn.Linear(1, 1)])
    assert kinds(rows) == ["ReLU", "Tanh", "Linear"]
    assert list(rows.state_dict()) == ["2.weight", "2.bias"]
    heads = nn.ModuleDict({"a": nn.ReLU()})
    heads["b"] = nn.Tanh()
    heads["a"] = nn.Sigmoid()
    assert heads.keys() == ["a", "b"]
    assert kinds(heads.values()) == ["Sigmoid", "Tanh"]
    assert heads.items()[1] == ("b", heads["b"])
    assert (len(heads), "b" in heads, "c" in heads) == (2, True, False)
    heads.update([("c", nn.GELU()), ("a", nn.ReLU())])
    del heads["b"]
    assert list(heads) == ["a", "c"]
    assert type(heads.pop("a")).__name__ == "ReLU"
    assert kinds(heads.values()) == ["GELU"]
    for ask in (heads.__getitem__, heads.pop, heads.__delitem__):
        with pytest.raises(ArgumentError, match=r"ModuleDict has no module 'd'. It holds: c"):
            ask("d")
    heads.clear()
    assert len(heads) == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Sequential(nn.ReLU), "Sequential was given ReLU, which is not a Module"),
        (lambda: nn.Sequential(nn.functional.relu), "which is not a Module"),
        (lambda: nn.Sequential().insert(0, nn.ReLU), "Sequential was given ReLU, which is not a Module"),
        (lambda: nn.ModuleList().extend([1]), "ModuleList was given int, which is not a Module"),
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), r"a module named 'a\.b'. Expected a name without dots"),
        (lambda: nn.ModuleDict({"forward": nn.ReLU()}), "named 'forward'"),
        (lambda: nn.ModuleDict({1: nn.ReLU()}), "a module named 1. Expected a name"),
        (lambda: nn.Sequential([nn.ReLU()]), r"given list, which is not a Module.\nWrite nn.Sequential\(\*modules\)"),
        (lambda: nn.Sequential(nn.ReLU() for _ in "ab"), r"given generator(.|\n)*nn.Sequential\(\*modules\)"),
        (lambda: nn.Sequential({"": nn.ReLU()}), "named ''"),
    ],
)
def test_containers_say_what_they_do_not_take(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


# ---- parameters


def test_parameter_lists_are_lists():
    first = nn.Parameter([1.0])
    rows = nn.ParameterList([first, np.ones(2), [3.0]])
    assert rows[0] is first
    assert [(p.dtype.name, p.requires_grad) for p in rows] == [("float32", True), ("float64", True), ("float32", True)]
    rows[1] = [5.0]
    rows += [nn.Parameter([7.0], requires_grad=False)]
    assert [p.item() for p in rows] == [1, 5, 3, 7]
    assert rows[-1].item() == 7
    assert [p.item() for p in rows[1:3]] == [5, 3]
    assert rows.pop(0) is first
    assert [(n, p.item()) for n, p in rows.named_parameters()] == [("0", 5), ("1", 3), ("2", 7)]
    assert list(nn.Sequential().state_dict()) == []
    rows[0].sum().backward()
    assert rows[0].grad.tolist() == [1.0]
    with pytest.raises(IndexOutOfRange, match=r"ParameterList was indexed with 3. It holds 3 parameters"):
        rows[3]


def test_parameter_dicts_are_dicts():
    scales = nn.ParameterDict({"a": [1.0], "b": nn.Parameter([2.0])})
    scales["a"] = [3.0]
    assert scales.setdefault("c", [4.0]) is scales["c"]
    assert scales.setdefault("c", [5.0]).item() == 4
    assert (scales.get("a").item(), scales.get("x", 9)) == (3, 9)
    assert (scales.keys(), [p.item() for p in scales.values()]) == (["a", "b", "c"], [3, 2, 4])
    assert scales.pop("b").item() == 2
    del scales["a"]
    assert [(name, p.item()) for name, p in scales.items()] == [("c", 4)]
    assert (len(scales), "c" in scales, list(scales)) == (1, True, ["c"])
    assert [n for n, _ in scales.named_parameters()] == ["c"]
    assert repr(nn.ParameterDict()) == "ParameterDict()"
    assert repr(nn.Sequential({"s": nn.ModuleList()})) == "Sequential(\n  (s): ModuleList()\n)"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.ParameterDict({"a.b": [1.0]}), r"ParameterDict was given a parameter named 'a.b'. Expected a name"),
        (lambda: nn.ParameterDict({"keys": [1.0]}), "a parameter named 'keys'"),
        (lambda: nn.ParameterDict({1: [1.0]}), "a parameter named 1"),
        (lambda: nn.ParameterDict()["a"], "ParameterDict has no parameter 'a'. It holds: none"),
        (lambda: nn.ParameterDict({"b": [1.0]}).pop("a"), "no parameter 'a'. It holds: b"),
        (
            lambda: nn.ParameterList([nn.ReLU()]),
            r"ParameterList was given ReLU\(\). Write nn.ModuleList or nn.ModuleDict",
        ),
    ],
)
def test_what_is_no_name_or_parameter(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()
