"""The normal distribution of vectors, with derivatives by x, mean and cov."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.stats

import autograd as ag
from autograd.numpy.manipulation import array
from autograd.scipy.stats.distribution import functions

_LOG_TAU = math.log(2 * math.pi)


def _matrix(cov: Any, size: int) -> Any:
    """A variance, or one for each component, or all covariances, as a matrix."""
    cov = array(cov)
    return cov if cov.ndim == 2 else cov * np.eye(size)


def _spectral(centred: Any, cov: Any, size: int) -> tuple[Any, Any, int]:
    """Squared distance, log determinant and rank on the subspace where cov is not singular."""
    s, u = ag.eigh(cov)
    kept = s.value > 1e6 * np.finfo(s.dtype).eps * abs(s.value).max()
    s, along = s[kept], ag.matmul(centred, u[:, kept])
    return ag.sum(along * along / s, -1), ag.sum(ag.log(s)), int(kept.sum())


def _logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    x = array(x)
    size = x.shape[-1] if x.ndim else 1
    centred = ag.reshape(x if mean is None else x - array(mean), (*x.shape[:-1], size))
    matrix = _matrix(cov, size)
    if allow_singular:
        distance, logdet, rank = _spectral(centred, matrix, size)
    else:
        flat = ag.reshape(centred, (-1, size))
        solved = ag.matrix_transpose(ag.solve(matrix, ag.matrix_transpose(flat)))
        distance = ag.reshape(ag.sum(flat * solved, -1), centred.shape[:-1])
        logdet, rank = ag.slogdet(matrix)[1], size
    return -(rank * _LOG_TAU + logdet + distance) / 2


def _entropy(mean: Any = None, cov: Any = 1) -> Any:
    size = np.size(mean) if mean is not None else array(cov).shape[0] if array(cov).ndim else 1
    return (size * (_LOG_TAU + 1) + ag.slogdet(_matrix(cov, size))[1]) / 2


_OWN = {
    "pdf": lambda *args, **settings: ag.exp(_logpdf(*args, **settings)),
    "logpdf": _logpdf,
    "entropy": _entropy,
}
_FUNCTIONS = functions(scipy.stats.multivariate_normal, _OWN)
pdf, logpdf, entropy = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "entropy"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.multivariate_normal, name)
