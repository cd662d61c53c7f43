"""This project, one operation at a time; `compiled.py` is the same with its losses compiled."""

import numpy as np

import autograd as ag


def data(*shape):
    return (np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32)


def load(threads, wrap=lambda f: f):
    ag.set_num_threads(threads)

    def leaf(*shape):
        return ag.tensor(data(*shape), requires_grad=True)

    def taken(w):
        g, w.grad = w.grad, None
        return g

    def depth(n):
        a, b = ag.tensor(np.linspace(0.1, 0.9, 16), requires_grad=True), ag.tensor(np.full(16, 1 + 1e-7))
        seed = np.ones(16)

        def record(_):
            t = a
            for _ in range(n):
                t = t * b
            return t

        def backward(t):
            t.backward(seed)
            return taken(a)

        return ("record", record), ("backward", backward)

    def loss(f, *leaves):
        run = wrap(f)

        def backward(y):
            y.backward()
            first, *_ = map(taken, leaves)
            return first

        return ("forward", lambda _: run(*leaves)), ("backward", backward)

    def width(n):
        x = ag.tensor(data(64, n))
        return loss(lambda w: ag.sum(ag.tanh(x @ w)), leaf(n, n))

    def batch(n):
        x = ag.tensor(data(n, 64))
        return loss(lambda a, b: ag.mean((ag.tanh(x @ a) @ b) ** 2), leaf(64, 128), leaf(128, 10))

    def parameters(n):
        w = leaf(n)
        run = wrap(lambda w: ag.sum(w * ag.tanh(w)))

        def update(y):
            y.backward()
            g = taken(w)
            with ag.no_grad():
                w.copy_(w - 0.01 * g)
            return g

        return ("forward", lambda _: run(w)), ("backward and update", update)

    def order(k):
        x = ag.tensor(np.linspace(-2, 2, 1000), requires_grad=True)

        def derive(_):
            y = ag.sum(ag.tanh(x))
            for left in reversed(range(k)):
                (g,) = ag.grad(y, [x], create_graph=left > 0)
                y = ag.sum(g) if left else None
            return g

        return (("derivative", derive),)

    def product(n):
        x, v = np.linspace(-2, 2, n), np.ones(n)

        def f(x):
            return ag.sum(ag.tanh(x[1:] * x[:-1]))

        return (("Hessian times vector", lambda _: ag.hvp(f, [x], [v])[1][0]),)

    topics = {"depth": depth, "order": order, "product": product} if wrap(load) is load else {}
    topics |= {"width": width, "batch": batch, "parameters": parameters}
    return "", topics, lambda g: ag.sum(ag.astype(g, np.float64) ** 2).item()
