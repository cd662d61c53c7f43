"""HIPS autograd, whose import name is ours as well."""


def load(threads):
    from importlib.metadata import version

    import numpy
    from autograd.core import make_vjp, vspace

    import autograd
    from autograd import numpy as np

    def data(*shape):
        return (numpy.cos(numpy.arange(numpy.prod(shape))) / 8).reshape(shape).astype(numpy.float32)

    def gradient(f, x, seed=None):
        """The trace of f at x, then the pull-back along it."""

        def forward(_):
            return make_vjp(f, x)

        def backward(traced):
            pull, y = traced
            return pull(vspace(y).ones() if seed is None else seed)

        return ("forward", forward), ("backward", backward)

    def depth(n):
        b = numpy.full(16, 1 + 1e-7)

        def f(t):
            for _ in range(n):
                t = t * b
            return t

        (_, record), backward = gradient(f, numpy.linspace(0.1, 0.9, 16), numpy.ones(16))
        return ("record", record), backward

    def width(n):
        x = data(64, n)
        return gradient(lambda w: np.sum(np.tanh(np.dot(x, w))), data(n, n))

    def batch(n):
        x = data(n, 64)

        def f(leaves):
            return np.mean(np.dot(np.tanh(np.dot(x, leaves[0])), leaves[1]) ** 2)

        return gradient(f, (data(64, 128), data(128, 10)))

    def parameters(n):
        w = data(n)

        def update(traced):
            nonlocal w
            pull, y = traced
            g = pull(vspace(y).ones())
            w = w - numpy.float32(0.01) * g
            return g

        def forward(_):
            return make_vjp(lambda w: np.sum(w * np.tanh(w)), w)

        return ("forward", forward), ("backward and update", update)

    def order(k):
        g = autograd.elementwise_grad(np.tanh)
        for _ in range(k - 1):
            g = autograd.elementwise_grad(g)
        x = numpy.linspace(-2, 2, 1000)
        return (("derivative", lambda _: g(x)),)

    def product(n):
        x, v = numpy.linspace(-2, 2, n), numpy.ones(n)
        hvp = autograd.hessian_vector_product(lambda x: np.sum(np.tanh(x[1:] * x[:-1])))
        return (("Hessian times vector", lambda _: hvp(x, v)),)

    def norm(g):
        return (numpy.asarray(g[0] if isinstance(g, tuple) else g, numpy.float64) ** 2).sum()

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    return version("autograd"), topics | {"order": order, "product": product}, norm
