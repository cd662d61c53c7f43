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


STANDARD = """
    e inf nan newaxis pi arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones
    ones_like tril triu zeros zeros_like astype can_cast finfo iinfo isdtype result_type bool int8 int16 int32
    int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 abs acos acosh add asin asinh atan
    atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil
    clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot imag
    isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not logical_or
    logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
    round sign signbit sin sinh square sqrt subtract tan tanh trunc take take_along_axis matmul matrix_transpose
    tensordot vecdot broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape
    roll squeeze stack tile unstack argmax argmin count_nonzero nonzero searchsorted where unique_all
    unique_counts unique_inverse unique_values argsort sort cumulative_prod cumulative_sum max mean min prod std
    sum var all any diff
"""  # of the Python array API standard, 2024.12


@pytest.mark.parametrize("name", STANDARD.split())
def test_every_name_of_the_standard_is_there(name):
    assert name in ag.__all__
    assert hasattr(ag, name)


def test_dtypes_and_what_is_asked_of_them():
    x = ag.tensor([1.0, 2.0], dtype=ag.float32)
    assert x.dtype == np.float32
    assert (ag.finfo(x).bits, ag.finfo(ag.float64).eps) == (32, np.finfo(float).eps)
    assert ag.iinfo(ag.int8).max == ag.iinfo(ag.tensor([1], dtype="int8")).max == 127
    assert ag.result_type(x, 1.0, ag.int8) == np.float32
    assert ag.result_type(x, ag.ones(1)) == np.float64
    assert (ag.can_cast(x, ag.float64), ag.can_cast(ag.float64, "float32")) == (True, False)
    assert ag.isdtype(x.dtype, "real floating")
    assert ag.searchsorted(ag.tensor([3.0, 1.0]), [2.0], sorter=ag.tensor([1, 0])).tolist() == [1]


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
