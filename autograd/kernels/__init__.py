"""Machine code: maths, compiler, cache, threads. Only this package imports numba; it is loaded at the first kernel."""
