"""Who writes a name of another library is told what to write here, and that is there."""

import re

import pytest

import autograd as ag
import nn
import optim
from autograd import elsewhere

HINTS = [*elsewhere.TENSOR.items(), *elsewhere.MODULE.items()]
PLACES = {"ag": ag, "nn": nn, "optim": optim, "x": ag.ones(2)}


@pytest.mark.parametrize("name", elsewhere.TENSOR)
def test_a_tensor_says_what_to_write(name):
    with pytest.raises(AttributeError, match=re.escape(f"no attribute {name!r}. Write {elsewhere.TENSOR[name]}")):
        getattr(ag.ones(2), name)


@pytest.mark.parametrize("name", elsewhere.MODULE)
def test_the_package_says_what_to_write(name):
    with pytest.raises(AttributeError, match=re.escape(f"no attribute {name!r}. Write {elsewhere.MODULE[name]}")):
        getattr(ag, name)


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
    with pytest.raises(AttributeError, match=f"Write dtype='{name}'"):
        getattr(ag, name)


def test_other_names_and_settings():
    x = ag.ones((2, 3))
    with pytest.raises(AttributeError, match=r"no attribute 'mul_'. Write x = x.mul"):
        x.mul_(2)
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
