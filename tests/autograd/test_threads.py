"""Tapes in several Python threads at once."""

import threading

import numpy as np

import autograd as ag


def train(seed, steps=60):
    rng = np.random.default_rng(seed)
    x, y = ag.tensor(rng.standard_normal((32, 6))), ag.tensor(rng.standard_normal((32, 2)))
    w = [ag.tensor(rng.standard_normal(s), requires_grad=True) for s in [(6, 16), (16,), (16, 2), (2,)]]
    for _ in range(steps):
        loss = ag.mean((ag.tanh(x @ w[0] + w[1]) @ w[2] + w[3] - y) ** 2)
        loss.backward()
        with ag.no_grad():
            for p in w:
                p -= 0.05 * p.grad
                p.grad = None
    return [p.numpy().copy() for p in w]


def test_four_threads_train_as_one_after_another_bit_for_bit():
    alone = [train(seed) for seed in range(4)]
    together = [None] * 4

    def run(k):
        together[k] = train(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for a, b in zip(alone, together, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_array_equal(p, q)
