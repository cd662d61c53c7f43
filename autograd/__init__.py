"""Reverse-mode automatic differentiation on NumPy arrays: `import autograd as ag`."""

from math import e, inf, nan, pi
from typing import TYPE_CHECKING

from autograd import dtypes, elsewhere, errors, products, random, spaced
from autograd import native as native
from autograd.anomaly import detect_anomaly
from autograd.arrays import checkpoint, elementwise_grad, grad, hessian, holomorphic_grad, jacobian, value_and_grad
from autograd.batching.vmap import vmap
from autograd.cost import Cost, costs_of, tape_position
from autograd.create import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from autograd.custom import custom_rule, primitive
from autograd.derivative import gauss_newton_vp, hvp
from autograd.dtypes import *  # noqa: F403  # all that it lists, added to the list below
from autograd.gradcheck import GradcheckResult, gradcheck, gradgradcheck
from autograd.ledger import Held, Ledger, memory
from autograd.linear import linearize
from autograd.listing import tape_of
from autograd.objective import ScipyObjective, scipy_objective
from autograd.ops import arrange, blocks, composed, fft, matrices, matrix, polynomial, quantiles, sampled, sets, special
from autograd.ops import statistics as statistics
from autograd.ops.arrange import *  # noqa: F403  # all that it lists, added to the list below
from autograd.ops.blocks import *  # noqa: F403  # as well
from autograd.ops.compare import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    nextafter,
    not_equal,
    signbit,
    stop_gradient,
)
from autograd.ops.complex import abs, angle, conj, imag, real, sign
from autograd.ops.composed import *  # noqa: F403  # as well
from autograd.ops.crop import crop
from autograd.ops.draw import uniform_like
from autograd.ops.elementwise import (
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    copysign,
    cos,
    cosh,
    divide,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    maximum,
    minimum,
    multiply,
    negative,
    positive,
    pow,
    reciprocal,
    relu,
    remainder,
    rint,
    round,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from autograd.ops.exponential import log_softmax, logsumexp, softmax
from autograd.ops.index import getitem, index_add, put, take, take_along_axis
from autograd.ops.join import concat, flip, pad, repeat, roll, split, stack, tile, tril, triu, unstack
from autograd.ops.linalg import affine, dot, einsum, inner, matmul, outer, tensordot, vecdot
from autograd.ops.matrices import *  # noqa: F403  # as well
from autograd.ops.matrix import *  # noqa: F403  # as well
from autograd.ops.polynomial import *  # noqa: F403  # as well
from autograd.ops.pool import window_argmax, window_max, window_sum
from autograd.ops.quantiles import *  # noqa: F403  # as well
from autograd.ops.reduce import max, mean, min, norm, prod, std, sum, trace, var
from autograd.ops.resample import resample
from autograd.ops.running import cumulative_prod, cumulative_sum, diff, linear_recurrence
from autograd.ops.sampled import *  # noqa: F403  # as well
from autograd.ops.search import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    argsort,
    array_equal,
    count_nonzero,
    diagonal,
    isclose,
    nonzero,
    searchsorted,
    sort,
)
from autograd.ops.sets import *  # noqa: F403  # as well
from autograd.ops.shape import (
    astype,
    broadcast_arrays,
    broadcast_to,
    expand_dims,
    flatten,
    matrix_transpose,
    meshgrid,
    moveaxis,
    permute_dims,
    reshape,
    squeeze,
    swapaxes,
)
from autograd.ops.special import *  # noqa: F403  # all that it lists, added to the list below
from autograd.ops.statistics import *  # noqa: F403  # as well
from autograd.ops.window import fold, window
from autograd.products import *  # noqa: F403  # all that it lists, added to the list below
from autograd.program import eager as eager
from autograd.program import resampling as resampling
from autograd.program.capture import check, depends_on, is_captured, not_yet
from autograd.program.compile import Compiled, compile
from autograd.program.foreach import Foreach, foreach
from autograd.program.fused import explain, fused
from autograd.program.gradients import gradients_of, same_tensors
from autograd.program.launch import get_num_threads, set_num_threads
from autograd.program.scalar import elementwise
from autograd.rows import RowSparse, put_rows_, take_rows
from autograd.scanning import scan
from autograd.spaced import *  # noqa: F403  # as well
from autograd.sweep import backward
from autograd.tape import enable_grad, inference_mode, is_grad_enabled, no_grad
from autograd.tensor import Tensor
from autograd.transforms import jvp, vjp

if not TYPE_CHECKING:  # a checker would take any name for one of ours
    __getattr__ = elsewhere.of_module

newaxis = None

# NumPy's names for the same functions
absolute, power = abs, pow
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
concatenate, transpose, ravel = concat, permute_dims, flatten
cumsum, cumprod = cumulative_sum, cumulative_prod

__all__ = [
    "Compiled",
    "Cost",
    "Foreach",
    "GradcheckResult",
    "Held",
    "Ledger",
    "RowSparse",
    "ScipyObjective",
    "Tensor",
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "affine",
    "all",
    "allclose",
    "angle",
    "any",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "array_equal",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "backward",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "broadcast_arrays",
    "broadcast_to",
    "cbrt",
    "ceil",
    "check",
    "checkpoint",
    "clip",
    "compile",
    "concat",
    "concatenate",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "costs_of",
    "count_nonzero",
    "crop",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "custom_rule",
    "depends_on",
    "detect_anomaly",
    "diagonal",
    "diff",
    "divide",
    "dot",
    "e",
    "einsum",
    "elementwise",
    "elementwise_grad",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "erf",
    "erfc",
    "errors",
    "exp",
    "exp2",
    "expand_dims",
    "explain",
    "expm1",
    "eye",
    "fft",
    "flatten",
    "flip",
    "floor",
    "floor_divide",
    "fold",
    "foreach",
    "from_dlpack",
    "full",
    "full_like",
    "fused",
    "gauss_newton_vp",
    "get_num_threads",
    "getitem",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "gradients_of",
    "greater",
    "greater_equal",
    "hessian",
    "holomorphic_grad",
    "hvp",
    "hypot",
    "imag",
    "index_add",
    "inf",
    "inference_mode",
    "inner",
    "is_captured",
    "is_grad_enabled",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "jacobian",
    "jvp",
    "less",
    "less_equal",
    "linear_recurrence",
    "linearize",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "memory",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "negative",
    "newaxis",
    "nextafter",
    "no_grad",
    "nonzero",
    "norm",
    "not_equal",
    "not_yet",
    "ones",
    "ones_like",
    "outer",
    "pad",
    "permute_dims",
    "pi",
    "positive",
    "pow",
    "power",
    "primitive",
    "prod",
    "put",
    "put_rows_",
    "random",
    "ravel",
    "real",
    "reciprocal",
    "relu",
    "remainder",
    "repeat",
    "resample",
    "reshape",
    "rint",
    "roll",
    "round",
    "rsqrt",
    "same_tensors",
    "scan",
    "scipy_objective",
    "searchsorted",
    "set_num_threads",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "take_rows",
    "tan",
    "tanh",
    "tape_of",
    "tape_position",
    "tensor",
    "tensordot",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "trunc",
    "uniform_like",
    "unstack",
    "value_and_grad",
    "var",
    "vecdot",
    "vjp",
    "vmap",
    "where",
    "window",
    "window_argmax",
    "window_max",
    "window_sum",
    "zeros",
    "zeros_like",
]  # fmt: skip
__all__ += [
    name
    for part in (
        *(arrange, blocks, composed, dtypes, matrices, matrix, polynomial, products),
        *(quantiles, sampled, sets, spaced, special, statistics),
    )
    for name in part.__all__
]
