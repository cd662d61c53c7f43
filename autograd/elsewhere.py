"""What to write here for names that other libraries have: said by the error for a name that is not ours."""

from __future__ import annotations

from typing import Any, NoReturn

TENSOR = {
    "bmm": "x @ y",
    "bool": "x.astype('bool')",
    "chunk": "ag.split(x, n, axis)",
    "clamp": "x.clip(low, high)",
    "clone": "x.copy()",
    "contiguous": "x: operations take any order of memory",
    "cpu": "x: there is one device",
    "cuda": "x: there is no GPU",
    "data": "x.detach(), or x.numpy() for its array",
    "device": "nothing: there is one device",
    "dim": "x.ndim",
    "dot": "x @ y",
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
    "is_cuda": "nothing: there is no GPU",
    "le": "x <= y",
    "long": "x.astype('int64')",
    "lt": "x < y",
    "masked_fill": "ag.where(mask, value, x)",
    "masked_select": "x[mask]",
    "matmul": "x @ y",
    "mm": "x @ y",
    "mul": "x * y",
    "mv": "x @ y",
    "ndimension": "x.ndim",
    "ne": "x != y",
    "nelement": "x.size",
    "new_zeros": "ag.zeros(shape, dtype=x.dtype)",
    "norm": "ag.norm(x)",
    "numel": "x.size",
    "permute": "x.transpose(axes)",
    "pow": "x ** y",
    "softmax": "ag.softmax(x, axis)",
    "log_softmax": "ag.log_softmax(x, axis)",
    "split": "ag.split(x, parts, axis)",
    "sub": "x - y",
    "t": "x.T",
    "tile": "ag.tile(x, counts)",
    "to": "x.astype(dtype); there is one device",
    "topk": "ag.argsort(x, axis) and ag.take_along_axis",
    "type": "x.astype(dtype)",
    "unbind": "ag.unstack(x, axis)",
    "unsqueeze": "ag.expand_dims(x, axis)",
    "view": "x.reshape(shape)",
    "view_as": "x.reshape(y.shape)",
}
INPLACE = "x = x.{}(...), or x += ..., x *= ...; x.copy_(y) for other values"
MODULE = {
    "DeviceArray": "ag.Tensor",
    "Variable": "ag.tensor(x, requires_grad=True)",
    "as_tensor": "ag.asarray(x)",
    "bernoulli": "ag.random.bernoulli",
    "bmm": "ag.matmul(x, y), or x @ y",
    "cat": "ag.concat([x, y], axis)",
    "chunk": "ag.split(x, n, axis)",
    "clamp": "ag.clip(x, low, high)",
    "cuda": "nothing: there is no GPU",
    "device": "nothing: there is one device",
    "from_numpy": "ag.asarray(x)",
    "functional": "nn.functional",
    "gather": "ag.take_along_axis(x, index, axis)",
    "index_select": "ag.take(x, index, axis)",
    "is_tensor": "isinstance(x, ag.Tensor)",
    "jacfwd": "ag.jacobian(f, mode='forward')",
    "jacrev": "ag.jacobian(f, mode='reverse')",
    "jit": "ag.compile",
    "lax": "ag.scan, ag.stop_gradient",
    "load": "nn.load",
    "manual_seed": "ag.random.seed(n)",
    "masked_select": "x[mask]",
    "mm": "ag.matmul(x, y), or x @ y",
    "multinomial": "ag.random.choice",
    "nn": "import nn",
    "numel": "x.size",
    "optim": "import optim",
    "permute": "ag.permute_dims(x, axes)",
    "rand": "ag.random.uniform(size=shape)",
    "randint": "ag.random.integers",
    "randn": "ag.random.normal(size=shape)",
    "randperm": "ag.random.permutation(n)",
    "save": "nn.save",
    "scatter": "ag.put, ag.index_add",
    "set_default_dtype": "dtype= where arrays are made",
    "set_grad_enabled": "ag.no_grad() or ag.enable_grad()",
    "t": "x.T",
    "topk": "ag.argsort(x, axis) and ag.take_along_axis",
    "unbind": "ag.unstack(x, axis)",
    "unsqueeze": "ag.expand_dims(x, axis)",
}
DTYPES = {"bfloat16", "bool", "complex128", "complex64", "double", "float", "float16", "float32", "float64", "half"}
DTYPES |= {"int", "int16", "int32", "int64", "int8", "long", "uint8"}
SETTINGS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "other": "y, by its place",
    "input": "x, by its place",
}


def of_tensor(name: str) -> NoReturn:
    """Raise the error for an attribute that a Tensor has not.

    >>> of_tensor("unsqueeze")
    Traceback (most recent call last):
        ...
    AttributeError: 'Tensor' object has no attribute 'unsqueeze'. Write ag.expand_dims(x, axis)
    """
    hint = TENSOR.get(name)
    if hint is None and name.endswith("_") and not name.startswith("_"):
        hint = INPLACE.format(name[:-1])
    raise AttributeError(f"'Tensor' object has no attribute {name!r}" + (f". Write {hint}" if hint else ""))


def of_module(name: str) -> Any:
    """Raise the error for a name that `autograd` has not.

    >>> of_module("cat")
    Traceback (most recent call last):
        ...
    AttributeError: module 'autograd' has no attribute 'cat'. Write ag.concat([x, y], axis)
    """
    hint = MODULE.get(name, f"dtype={name!r}, or NumPy's np.{name}" if name in DTYPES else None)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}" + (f". Write {hint}" if hint else ""))


def of_setting(error: TypeError) -> TypeError | None:
    """The error for an argument that a function has not, with the one that it has instead; None of any other error.

    >>> of_setting(TypeError("sum() got an unexpected keyword argument 'dim'"))
    TypeError("sum() got an unexpected keyword argument 'dim'. Write axis.")
    """
    wrong = str(error).rpartition(" got an unexpected keyword argument ")[2].strip("'")
    return TypeError(f"{error}. Write {SETTINGS[wrong]}.") if wrong in SETTINGS else None
