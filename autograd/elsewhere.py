"""What to write here for names that other libraries have: said by the error for a name that is not ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, NoReturn, ParamSpec, Self, TypeVar

import numpy as np

from autograd.primitive import functions

P = ParamSpec("P")
T = TypeVar("T")

TENSOR = {
    "add": "x + y",
    "add_": "x += y",
    "addmm": "x + a @ b",
    "amax": "x.max(axis)",
    "amin": "x.min(axis)",
    "assign": "x.copy_(y)",
    "assign_add": "x += y",
    "assign_sub": "x -= y",
    "at": "y = x.copy(), then y[i] = v or y[i] += v",
    "block_until_ready": "x: results are there",
    "bmm": "x @ y",
    "bool": "x.astype('bool')",
    "chunk": "ag.split(x, n, axis)",
    "clamp": "x.clip(low, high)",
    "clone": "x.copy()",
    "contiguous": "x: operations take any order of memory",
    "cpu": "x: there is one device",
    "cuda": "x: there is no GPU",
    "data": "x.detach() to read it; under ag.no_grad(), x -= y, x[...] = y or x.copy_(y) to change it",
    "detach_": "x = x.detach()",
    "device": "nothing: there is one device",
    "dim": "x.ndim",
    "div": "x / y",
    "div_": "x /= y",
    "double": "x.astype('float64')",
    "eq": "x == y",
    "expand": "ag.broadcast_to(x, shape)",
    "float": "x.astype('float32')",
    "gather": "ag.take_along_axis(x, index, axis)",
    "ge": "x >= y",
    "grad_fn": "ag.tape_of(x)",
    "gt": "x > y",
    "half": "x.astype('float16')",
    "index_select": "ag.take(x, index, axis)",
    "int": "x.astype('int32')",
    "inverse": "ag.inv(x)",
    "is_cuda": "nothing: there is no GPU",
    "is_floating_point": "x.dtype.kind == 'f'",
    "le": "x <= y",
    "log_softmax": "ag.log_softmax(x, axis)",
    "long": "x.astype('int64')",
    "lt": "x < y",
    "masked_fill": "ag.where(mask, value, x)",
    "masked_select": "x[mask]",
    "matmul": "x @ y",
    "mm": "x @ y",
    "mul": "x * y",
    "mul_": "x *= y",
    "multinomial": "ag.random.choice(len(x), p=x)",
    "mv": "x @ y",
    "ndimension": "x.ndim",
    "ne": "x != y",
    "neg": "-x",
    "nelement": "x.size",
    "new_empty": "ag.empty(shape, dtype=x.dtype)",
    "new_full": "ag.full(shape, value, dtype=x.dtype)",
    "new_ones": "ag.ones(shape, dtype=x.dtype)",
    "new_tensor": "ag.tensor(values, dtype=x.dtype)",
    "new_zeros": "ag.zeros(shape, dtype=x.dtype)",
    "norm": "ag.norm(x)",
    "normal_": "nn.init.normal_(x), or x.copy_(ag.random.normal(size=x.shape))",
    "numel": "x.size",
    "permute": "x.transpose(axes)",
    "pow": "x ** y",
    "repeat_interleave": "ag.repeat(x, counts, axis)",
    "softmax": "ag.softmax(x, axis)",
    "split": "ag.split(x, parts, axis)",
    "sub": "x - y",
    "sub_": "x -= y",
    "t": "x.T",
    "tile": "ag.tile(x, counts)",
    "to": "x.astype(dtype); there is one device",
    "topk": "ag.argsort(x, axis) and ag.take_along_axis",
    "true_divide": "x / y",
    "type": "x.astype(dtype), or x.dtype for what it is",
    "unbind": "ag.unstack(x, axis)",
    "uniform_": "nn.init.uniform_(x), or x.copy_(ag.random.uniform(size=x.shape))",
    "unsqueeze": "ag.expand_dims(x, axis)",
    "view": "x.reshape(shape)",
    "view_as": "x.reshape(y.shape)",
    "where": "ag.where(condition, x, y)",
}
INPLACE = "x = {0}, or x.copy_({0}) to change a parameter"
MODULE = {
    "DeviceArray": "ag.Tensor",
    "DoubleTensor": "ag.tensor(x, dtype='float64')",
    "FloatTensor": "ag.tensor(x, dtype='float32')",
    "Function": "ag.custom_rule, a decorator",
    "GradientTape": "ag.value_and_grad, or loss.backward()",
    "LongTensor": "ag.tensor(x, dtype='int64')",
    "Variable": "ag.tensor(x, requires_grad=True)",
    "__version__": "importlib.metadata.version('wengert')",
    "as_tensor": "ag.asarray(x)",
    "autograd": "ag alone: ag.grad, ag.backward",
    "bernoulli": "ag.random.bernoulli",
    "bfloat16": "dtype='float32': NumPy has no bfloat16",
    "bmm": "ag.matmul(x, y), or x @ y",
    "cat": "ag.concat([x, y], axis)",
    "cdist": "ag.norm(x[:, None] - y, axis=-1)",
    "chunk": "ag.split(x, n, axis)",
    "clamp": "ag.clip(x, low, high)",
    "constant": "ag.tensor",
    "cuda": "nothing: there is no GPU",
    "custom_jvp": "ag.custom_rule",
    "custom_vjp": "ag.custom_rule",
    "detach": "x.detach()",
    "device": "nothing: there is one device",
    "from_numpy": "ag.asarray(x)",
    "func": "ag alone: ag.grad, ag.vmap, ag.jacobian, ag.jvp",
    "functional": "nn.functional",
    "gather": "ag.take_along_axis(x, index, axis)",
    "index_select": "ag.take(x, index, axis)",
    "inverse": "ag.inv(x)",
    "is_tensor": "isinstance(x, ag.Tensor)",
    "jacfwd": "ag.jacobian(f, mode='forward')",
    "jacrev": "ag.jacobian(f, mode='reverse')",
    "jit": "ag.compile",
    "lax": "ag.scan, ag.stop_gradient",
    "lgamma": "ag.gammaln(x)",
    "linalg": "ag alone: ag.solve, ag.inv, ag.det, ag.cholesky, ag.norm",
    "load": "nn.load",
    "manual_seed": "ag.random.seed(n)",
    "masked_select": "x[mask]",
    "mm": "ag.matmul(x, y), or x @ y",
    "multinomial": "ag.random.choice",
    "mv": "x @ y",
    "nn": "import nn",
    "normal": "ag.random.normal(mean, deviation, shape)",
    "numel": "x.size",
    "numpy": "import autograd.numpy as np",
    "one_hot": "nn.functional.one_hot(labels, n)",
    "optim": "import optim",
    "permute": "ag.permute_dims(x, axes)",
    "rand": "ag.random.uniform(size=shape)",
    "rand_like": "ag.random.uniform(size=x.shape)",
    "randint": "ag.random.integers",
    "randn": "ag.random.normal(size=shape)",
    "randn_like": "ag.random.normal(size=x.shape)",
    "randperm": "ag.random.permutation(n)",
    "reduce_mean": "ag.mean",
    "reduce_sum": "ag.sum",
    "remat": "ag.checkpoint",
    "repeat_interleave": "ag.repeat(x, counts, axis)",
    "save": "nn.save",
    "scatter": "ag.put, ag.index_add",
    "scipy": "import autograd.scipy",
    "set_default_dtype": "dtype= where arrays are made",
    "set_grad_enabled": "ag.no_grad() or ag.enable_grad()",
    "solve_triangular": "autograd.scipy.linalg.solve_triangular",
    "t": "x.T",
    "topk": "ag.argsort(x, axis) and ag.take_along_axis",
    "unbind": "ag.unstack(x, axis)",
    "unsqueeze": "ag.expand_dims(x, axis)",
    "utils": "nn.DataLoader, ag.checkpoint",
}
DTYPES = {"double", "float", "half", "int", "long"}
SETTINGS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "other": "y, by its place",
    "input": "x, by its place",
}
CREATION = {
    "device": "there is one device. Leave it out",
    "layout": "arrays are dense. Leave it out",
    "like": "write ag.asarray(x)",
    "memory_format": "operations take any order of memory. Leave it out",
    "name": "Tensors have no names. Leave it out",
    "order": "operations take any order of memory. Leave it out",
    "out": "operations make new arrays. Leave it out",
    "pin_memory": "there is no GPU. Leave it out",
    "sharding": "there is one device. Leave it out",
    "trainable": "write requires_grad=True",
}


def of_tensor(name: str) -> NoReturn:
    """Raise the error for an attribute that a Tensor has not.

    >>> of_tensor("unsqueeze")
    Traceback (most recent call last):
        ...
    AttributeError: 'Tensor' object has no attribute 'unsqueeze'. Write ag.expand_dims(x, axis)
    """
    hint = TENSOR.get(name) or _as_function(name)
    if hint is None and name.endswith("_") and not name.startswith("_"):
        result = TENSOR.get(name[:-1]) or _as_function(name[:-1])
        hint = INPLACE.format(result) if result else "x.copy_(y) with the new values as y"
    raise AttributeError(f"'Tensor' object has no attribute {name!r}" + (f". Write {hint}" if hint else ""))


def _as_function(name: str) -> str | None:
    """How to call the function of that name, if there is one."""
    return f"ag.{name}(x)" if name in functions and hasattr(sys.modules["autograd"], name) else None


def of_module(name: str) -> Any:
    """Raise the error for a name that `autograd` has not.

    >>> of_module("cat")
    Traceback (most recent call last):
        ...
    AttributeError: module 'autograd' has no attribute 'cat'. Write ag.concat([x, y], axis)
    """
    also = f", or NumPy's np.{name}" if hasattr(np, name) else ""
    hint = MODULE.get(name, f"dtype={name!r}{also}" if name in DTYPES else None)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}" + (f". Write {hint}" if hint else ""))


def of_setting(error: TypeError) -> TypeError | None:
    """The error for an argument that a function has not, with the one that it has instead; None of any other error.

    >>> of_setting(TypeError("sum() got an unexpected keyword argument 'dim'"))
    TypeError("sum() got an unexpected keyword argument 'dim'. Write axis.")
    """
    said = str(error).partition(". Did you mean ")[0]  # Python's own guess, from 3.13 on
    wrong = said.rpartition(" got an unexpected keyword argument ")[2].strip("'")
    return TypeError(f"{said}. Write {SETTINGS[wrong]}.") if wrong in SETTINGS else None


def refuse_settings(name: str, given: Iterable[str], hints: Mapping[str, str], taken: Iterable[str] = ()) -> None:
    """Raise the error for a setting of other libraries that a function or class does not take.

    >>> refuse_settings("zeros", {"device": "cpu"}, CREATION)
    Traceback (most recent call last):
        ...
    TypeError: zeros was given device, which it has not: there is one device. Leave it out.
    """
    for setting in given:
        if setting in hints and setting not in taken:
            raise TypeError(f"{name} was given {setting}, which it has not: {hints[setting]}.")


def hinted(hints: Mapping[str, str]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function say what becomes of settings that it does not take, by name.

    >>> hinted({"verbose": "leave it out"})(abs)(-1, verbose=1)
    Traceback (most recent call last):
        ...
    TypeError: abs was given verbose, which it has not: leave it out.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **settings: P.kwargs) -> T:
            if settings:
                refuse_settings(function.__name__, settings, hints)
            return function(*args, **settings)

        return call

    return decorate


class Hinted:
    """A base of classes that say what becomes of settings which they do not take: those of `elsewhere`, by name.

    >>> class Loader(Hinted):
    ...     elsewhere = {"num_workers": "write prefetch=2"}
    ...     def __init__(self, prefetch=0):
    ...         self.prefetch = prefetch
    >>> Loader(num_workers=2)
    Traceback (most recent call last):
        ...
    TypeError: Loader was given num_workers, which it has not: write prefetch=2.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {}

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        """Look at what it is made with."""
        if not cls.elsewhere.keys().isdisjoint(settings):
            taken = signature(cls.__init__).parameters
            if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
                refuse_settings(cls.__name__, settings, cls.elsewhere, taken)
        return super().__new__(cls)
