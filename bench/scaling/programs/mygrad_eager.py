"""MyGrad, which has first derivatives."""


def load(threads):
    import mygrad as mg
    import numpy as np

    def data(*shape):
        return (np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32)

    def taken(w):
        g = w.grad
        w.null_grad()
        return g

    def depth(n):
        a, b, seed = mg.tensor(np.linspace(0.1, 0.9, 16)), np.full(16, 1 + 1e-7), np.ones(16)

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
        def backward(y):
            y.backward()
            first, *_ = map(taken, leaves)
            return first

        return ("forward", lambda _: f(*leaves)), ("backward", backward)

    def width(n):
        x = data(64, n)
        return loss(lambda w: mg.tanh(mg.matmul(x, w)).sum(), mg.tensor(data(n, n)))

    def batch(n):
        x = data(n, 64)
        leaves = mg.tensor(data(64, 128)), mg.tensor(data(128, 10))
        return loss(lambda a, b: (mg.matmul(mg.tanh(mg.matmul(x, a)), b) ** 2).mean(), *leaves)

    def parameters(n):
        w = mg.tensor(data(n))

        def update(y):
            nonlocal w
            y.backward()
            g = taken(w)
            w = mg.tensor(w.data - np.float32(0.01) * g)
            return g

        return ("forward", lambda _: (w * mg.tanh(w)).sum()), ("backward and update", update)

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    return mg.__version__, topics, lambda g: (np.asarray(g, np.float64) ** 2).sum()
