"""Who writes a name of another library is told what to write here, and that is there."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd import elsewhere

HINTS = [*elsewhere.TENSOR.items(), *elsewhere.MODULE.items()]
SUBPACKAGES = {"numpy", "scipy"}  # there once somebody has imported them
PLACES = {"ag": ag, "nn": nn, "optim": optim, "x": ag.ones(2)}


@pytest.mark.parametrize("name", elsewhere.TENSOR)
def test_a_tensor_says_what_to_write(name):
    with pytest.raises(AttributeError, match=re.escape(f"no attribute {name!r}. Write {elsewhere.TENSOR[name]}")):
        getattr(ag.ones(2), name)


@pytest.mark.parametrize("name", elsewhere.MODULE)
def test_the_package_says_what_to_write(name):
    with pytest.raises(AttributeError, match=re.escape(f"no attribute {name!r}. Write {elsewhere.MODULE[name]}")):
        elsewhere.of_module(name) if name in SUBPACKAGES else getattr(ag, name)


@pytest.mark.parametrize(("name", "hint"), HINTS, ids=[name for name, _ in HINTS])
def test_what_is_to_be_written_is_there(name, hint):
    for place, path in re.findall(r"\b(ag|nn|optim|x)\.([\w.]+)", hint):
        found = PLACES[place]
        for part in path.rstrip(".").split("."):
            found = getattr(found, part)
    for module in re.findall(r"^import (\w+)$", hint):
        assert module in PLACES


@pytest.mark.parametrize("name", sorted(elsewhere.DTYPES))
def test_dtypes_are_named_by_strings(name):
    with pytest.raises(AttributeError, match=f"Write dtype='{name}'") as told:
        getattr(ag, name)
    for numpys in re.findall(r"np\.(\w+)", str(told.value)):
        assert np.dtype(getattr(np, numpys))


def test_other_names_and_settings():
    x = ag.ones((2, 3))
    for name, hint in (
        ("mul_", "x *= y"),
        ("clamp_", "x = x.clip(low, high), or x.copy_(x.clip(low, high)) to change a parameter"),
        ("tanh_", "x = ag.tanh(x), or x.copy_(ag.tanh(x)) to change a parameter"),
        ("geometric_", "x.copy_(y) with the new values as y"),
        ("sign", "ag.sign(x)"),
    ):
        with pytest.raises(AttributeError, match=re.escape(f"no attribute '{name}'. Write {hint}") + "$"):
            getattr(x, name)
    for holder in (x, ag):
        with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
            holder.nothing  # noqa: B018
        assert not hasattr(holder, "__nothing__")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'dim'. Write axis."):
        x.sum(dim=1)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'keepdim'. Write keepdims."):
        x.mean(axis=1, keepdim=True)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'nothing'$"):
        x.sum(nothing=1)


@pytest.mark.parametrize("setting", elsewhere.CREATION)
def test_what_makes_arrays_says_what_becomes_of_settings(setting):
    said = re.escape(f"was given {setting}, which it has not: {elsewhere.CREATION[setting]}.")
    for make, of in ((ag.tensor, 1.0), (ag.zeros, 3), (ag.arange, 3), (ag.ones_like, [1.0])):
        with pytest.raises(TypeError, match=f"^{make.__name__} {said}$"):
            make(of, **{setting: None})
    assert ag.zeros(3, dtype="float32").dtype == np.float32
