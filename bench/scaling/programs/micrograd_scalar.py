"""micrograd, whose values are single numbers: the chain is of one number, where the others have sixteen."""


def load(threads):
    from importlib.metadata import version

    from micrograd.engine import Value

    def depth(n):
        a = Value(0.5)

        def record(_):
            t = a
            for _ in range(n):
                t = t * (1 + 1e-7)
            return t

        def backward(t):
            a.grad = 0
            t.backward()
            return [a.grad] * 16

        return ("record", record), ("backward", backward)

    return version("micrograd"), {"depth": depth}, lambda g: sum(x * x for x in g)
