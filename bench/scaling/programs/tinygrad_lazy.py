"""tinygrad: lazy, so that the forward part runs with the backward one, when the gradient is asked for."""


def load(threads):
    import os
    from importlib.metadata import version
    from math import prod
    from shutil import which

    os.environ.setdefault("DEV", "CPU")  # it finds no other device by itself, and stops
    from tinygrad import Tensor, dtypes

    if which(os.environ.get("CC", "clang")) is None:
        raise RuntimeError("its kernels are compiled by clang, which is not installed")

    def data(*shape):
        return (Tensor.arange(prod(shape), dtype=dtypes.float32).cos() / 8).reshape(shape).contiguous().realize()

    def gradient(f, x):
        def run(_):
            y = f(x)
            (g,) = y.gradient(x)
            Tensor.realize(y, g)
            return g

        return (("forward and backward", run),)

    def depth(n):
        a = Tensor([0.1 + 0.8 * k / 15 for k in range(16)], dtype=dtypes.float32).realize()
        b = Tensor.full((16,), 1 + 1e-7).contiguous().realize()

        def f(t):
            for _ in range(n):
                t = t * b
            return t.sum()

        return gradient(f, a)

    def width(n):
        x = data(64, n)
        return gradient(lambda w: (x @ w).tanh().sum(), data(n, n))

    def batch(n):
        x, b = data(n, 64), data(128, 10)

        def run(_):
            y = (((x @ a).tanh() @ b) ** 2).mean()
            g = y.gradient(a, b)
            Tensor.realize(y, *g)
            return g[0]

        a = data(64, 128)
        return (("forward and backward", run),)

    def parameters(n):
        w = data(n)

        def step(_):
            nonlocal w
            y = (w * w.tanh()).sum()
            (g,) = y.gradient(w)
            new = w - 0.01 * g
            Tensor.realize(y, g, new)
            w = new.detach()
            return g

        return (("step", step),)

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    return version("tinygrad"), topics, lambda g: (g.cast(dtypes.float32) ** 2).sum().item()
