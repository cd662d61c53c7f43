"""Machine code: maths, code generation, cache, threads. The only package that imports numba; loaded at the first kernel."""
