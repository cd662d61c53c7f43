"""JAX, everything under jit: value, gradient and update are one call, and the tracing and compiling another."""


def load(threads):
    import jax
    import numpy as np

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    jnp, wait = jax.numpy, jax.block_until_ready

    def data(*shape):
        return jnp.asarray((np.cos(np.arange(np.prod(shape))) / 8).reshape(shape).astype(np.float32))

    def gradient(f, x, *rest):
        """The call of the compiled function."""
        run = jax.jit(jax.value_and_grad(f)).lower(x, *rest).compile()
        return (("forward and backward", lambda _: wait(run(x, *rest))[1]),)

    def depth(n):
        def f(a, b):
            for _ in range(n):
                a = a * b
            return a.sum()

        return gradient(f, jnp.linspace(0.1, 0.9, 16), jnp.full(16, 1 + 1e-7))

    def width(n):
        return gradient(lambda w, x: jnp.tanh(x @ w).sum(), data(n, n), data(64, n))

    def batch(n):
        def f(leaves, x):
            a, b = leaves
            return ((jnp.tanh(x @ a) @ b) ** 2).mean()

        return gradient(f, (data(64, 128), data(128, 10)), data(n, 64))

    def parameters(n):
        w = data(n)

        def step(w):
            y, g = jax.value_and_grad(lambda w: (w * jnp.tanh(w)).sum())(w)
            return w - 0.01 * g, y, g

        run = jax.jit(step).lower(w).compile()

        def update(_):
            nonlocal w
            w, _, g = wait(run(w))
            return g

        return (("step", update),)

    def order(k):
        f = lambda x: jnp.tanh(x).sum()  # noqa: E731  # each derivative is a function of the one before it
        for _ in range(k):
            g = jax.grad(f)
            f = lambda x, g=g: g(x).sum()  # noqa: E731
        x = jnp.linspace(-2, 2, 1000)
        run = jax.jit(g).lower(x).compile()
        return (("derivative", lambda _: wait(run(x))),)

    def product(n):
        x, v = jnp.linspace(-2, 2, n), jnp.ones(n)
        g = jax.grad(lambda x: jnp.tanh(x[1:] * x[:-1]).sum())
        run = jax.jit(lambda x, v: jax.jvp(g, (x,), (v,))[1]).lower(x, v).compile()
        return (("Hessian times vector", lambda _: wait(run(x, v))),)

    def norm(g):
        return (np.asarray(g[0] if isinstance(g, tuple) else g, np.float64) ** 2).sum()

    topics = {"depth": depth, "width": width, "batch": batch, "parameters": parameters}
    return jax.__version__, topics | {"order": order, "product": product}, norm
