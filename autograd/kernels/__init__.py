"""Machine code: maths, compiler, cache, threads. Only this package imports LLVM; it is loaded at the first kernel."""
