"""The functions of SciPy that HIPS autograd differentiates: `from autograd.scipy.stats import norm`."""

from autograd.scipy import integrate, linalg, signal, special, stats

__all__ = ["integrate", "linalg", "signal", "special", "stats"]
