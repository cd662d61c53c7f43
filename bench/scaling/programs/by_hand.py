"""NumPy, with gradients written out."""


def load(threads):
    import numpy as np

    def data(*shape):
        return (np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32)

    def depth(n):
        a, b, seed = np.linspace(0.1, 0.9, 16), np.full(16, 1 + 1e-7), np.ones(16)

        def record(_):
            t = a
            for _ in range(n):
                t = t * b
            return t

        def backward(_):
            g = seed
            for _ in range(n):
                g = g * b
            return g

        return ("record", record), ("backward", backward)

    def width(n):
        x, w = data(64, n), data(n, n)

        def forward(_):
            y = np.tanh(x @ w)
            return y, y.sum()

        return ("forward", forward), ("backward", lambda kept: x.T @ (1 - kept[0] * kept[0]))

    def batch(n):
        x, a, b = data(n, 64), data(64, 128), data(128, 10)

        def forward(_):
            h = np.tanh(x @ a)
            z = h @ b
            return h, z, np.mean(z * z)

        def backward(kept):
            h, z, _ = kept
            g = z * np.float32(2 / z.size)
            return x.T @ (g @ b.T * (1 - h * h)), h.T @ g

        return ("forward", forward), ("backward", backward)

    def parameters(n):
        w = data(n)

        def forward(_):
            t = np.tanh(w)
            return t, np.sum(w * t)

        def update(kept):
            nonlocal w
            t = kept[0]
            g = t + w * (1 - t * t)
            w = w - np.float32(0.01) * g
            return g

        return ("forward", forward), ("backward and update", update)

    def norm(g):
        return (np.asarray(g[0] if isinstance(g, tuple) else g, np.float64) ** 2).sum()

    return np.__version__, {"depth": depth, "width": width, "batch": batch, "parameters": parameters}, norm
