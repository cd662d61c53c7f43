"""PyTorch, one operation at a time."""


def load(threads):
    import numpy as np
    import torch

    torch.set_num_threads(threads)

    def data(*shape):
        return torch.from_numpy((np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32))

    def taken(w):
        g, w.grad = w.grad, None
        return g

    def depth(n):
        a = torch.linspace(0.1, 0.9, 16, dtype=torch.float64, requires_grad=True)
        b, seed = torch.full((16,), 1 + 1e-7, dtype=torch.float64), torch.ones(16, dtype=torch.float64)

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
        return loss(lambda w: torch.tanh(x @ w).sum(), data(n, n).requires_grad_())

    def batch(n):
        x = data(n, 64)
        leaves = data(64, 128).requires_grad_(), data(128, 10).requires_grad_()
        return loss(lambda a, b: ((torch.tanh(x @ a) @ b) ** 2).mean(), *leaves)

    def parameters(n):
        w = data(n).requires_grad_()

        def update(y):
            y.backward()
            g = taken(w)
            with torch.no_grad():
                w.sub_(g, alpha=0.01)
            return g

        return ("forward", lambda _: (w * torch.tanh(w)).sum()), ("backward and update", update)

    def order(k):
        x = torch.linspace(-2, 2, 1000, dtype=torch.float64, requires_grad=True)

        def derive(_):
            y = torch.tanh(x).sum()
            for left in reversed(range(k)):
                (g,) = torch.autograd.grad(y, x, create_graph=left > 0)
                y = g.sum() if left else None
            return g

        return (("derivative", derive),)

    def product(n):
        x, v = torch.linspace(-2, 2, n, dtype=torch.float64, requires_grad=True), torch.ones(n, dtype=torch.float64)

        def hvp(_):
            (g,) = torch.autograd.grad(torch.tanh(x[1:] * x[:-1]).sum(), x, create_graph=True)
            return torch.autograd.grad(g, x, v)[0]

        return (("Hessian times vector", hvp),)

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    return torch.__version__, topics | {"order": order, "product": product}, lambda g: (g.double() ** 2).sum().item()
