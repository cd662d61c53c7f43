"""PyTensor: graphs of symbols that are compiled before they run."""


def load(threads):
    import numpy as np
    import pytensor
    import pytensor.tensor as pt

    def data(*shape):
        return (np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32)

    def gradient(f, x, words="forward and backward"):
        """The call of the compiled value and gradient."""
        symbol = pt.TensorType(x.dtype, shape=(None,) * x.ndim)("x")
        y = f(symbol)
        run = pytensor.function([symbol], [y, pt.grad(y, symbol)])
        return ((words, lambda _: run(x)[1]),)

    def depth(n):
        b = pytensor.shared(np.full(16, 1 + 1e-7))

        def f(t):
            for _ in range(n):
                t = t * b
            return t.sum()

        return gradient(f, np.linspace(0.1, 0.9, 16))

    def width(n):
        x = pytensor.shared(data(64, n))
        return gradient(lambda w: pt.tanh(x @ w).sum(), data(n, n))

    def batch(n):
        x, a, b = pytensor.shared(data(n, 64)), pytensor.shared(data(64, 128)), pytensor.shared(data(128, 10))
        y = ((pt.tanh(x @ a) @ b) ** 2).mean()
        run = pytensor.function([], [y, *pt.grad(y, [a, b])])
        return (("forward and backward", lambda _: run()[1]),)

    def parameters(n):
        w = pytensor.shared(data(n))
        y = (w * pt.tanh(w)).sum()
        g = pt.grad(y, w)
        run = pytensor.function([], [y, g], updates={w: w - np.float32(0.01) * g})
        return (("step", lambda _: run()[1]),)

    def order(k):
        x = pt.dvector("x")
        y = pt.tanh(x).sum()
        for _ in range(k):
            g = pt.grad(y, x)
            y = g.sum()
        run, points = pytensor.function([x], g), np.linspace(-2, 2, 1000)
        return (("derivative", lambda _: run(points)),)

    def product(n):
        x, v = pt.dvector("x"), np.ones(n)
        g = pt.grad(pt.tanh(x[1:] * x[:-1]).sum(), x)
        run, points = pytensor.function([x], pt.grad((g * v).sum(), x)), np.linspace(-2, 2, n)
        return (("Hessian times vector", lambda _: run(points)),)

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    topics |= {"order": order, "product": product}
    return pytensor.__version__, topics, lambda g: (np.asarray(g, np.float64) ** 2).sum()
