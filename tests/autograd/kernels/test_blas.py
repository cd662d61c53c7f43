"""Products on the pool: NumPy's values in every layout, the same bits with any number of threads, no BLAS changed."""

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from autograd.kernels import blas, pool

SHAPES = [(65, 70, 64), (128, 784, 256), (333, 501, 97), (1024, 32, 513), (2, 200_000, 2), (600, 2, 600), (3, 300, 900)]
rng = np.random.default_rng(0)


@pytest.fixture
def threads():
    """Change the number of threads; set it back afterwards."""
    before = pool.get_num_threads()
    yield pool.set_num_threads
    pool.set_num_threads(before)


def matrix(rows, columns, dtype, layout):
    """Random numbers in rows, in columns, in every row of a wider matrix, or in every column of a taller one."""
    wide = {"rows": 0, "columns": 0, "wide": 5, "tall": 3}[layout]
    if layout in ("columns", "tall"):
        return rng.standard_normal((columns, rows + wide)).astype(dtype)[:, :rows].T
    return rng.standard_normal((rows, columns + wide)).astype(dtype)[:, :columns]


def close(found, a, b):
    assert found.dtype == a.dtype
    exact = a.astype(np.float64) @ b.astype(np.float64)
    size = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    assert (np.abs(found - exact) <= 8 * np.finfo(a.dtype).eps * size).all()


@pytest.fixture(params=[True, False], ids=["in place", "laid out anew"])
def unpacking(request, monkeypatch):
    """OpenBLAS with kernels for small matrices, and without: both ways are right with either."""
    monkeypatch.setattr(blas, "_unpacking", lambda: request.param)
    blas._plan.cache_clear()
    yield request.param
    blas._plan.cache_clear()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_in_every_layout(shape, dtype, unpacking):
    m, k, n = shape
    for left, right in itertools.product(("rows", "columns", "wide", "tall"), repeat=2):
        a, b = matrix(m, k, dtype, left), matrix(k, n, dtype, right)
        found = blas.matmul(a, b)
        assert found.shape == (m, n)
        close(found, a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_bits_do_not_depend_on_the_number_of_threads(shape, dtype, threads, monkeypatch):
    monkeypatch.setattr(pool, "allowed", lambda: 4)
    monkeypatch.setattr(blas, "CORES", 4)
    m, k, n = shape
    a, b = matrix(m, k, dtype, "rows"), matrix(k, n, dtype, "columns")
    found = []
    for number in (1, 2, 3, 4):
        threads(number)
        found.append(blas.matmul(a, b))
    assert all(np.array_equal(one, found[0]) for one in found)
    monkeypatch.undo()


def test_large_products_run_on_the_pool(monkeypatch, unpacking):
    monkeypatch.setattr(blas, "CORES", 2)
    a = rng.standard_normal((256, 256)).astype(np.float32)
    address, blocks, words = blas.entry(a, a, np.empty_like(a))
    assert address
    assert blocks == (32 if unpacking else 2)
    assert words[4:7].tolist() == [256, 256, 256]


def test_blocks_that_are_multiplied_in_place_are_small_enough(monkeypatch):
    monkeypatch.setattr(blas, "_unpacking", lambda: True)
    cut = 0
    for m, n, k in rng.integers(1, 1500, (3000, 3)).tolist():
        for left, right in itertools.product(map(ord, "NT"), repeat=2):
            found = blas.unpacked(m, n, k, 4, left, right)
            if found is not None:
                rows, columns = found
                assert 0 < rows <= m
                assert 0 < columns <= n
                assert rows * columns * k <= blas.WHOLE < m * n * k
                cut += 1
    assert cut > 1000
    monkeypatch.setattr(blas, "_unpacking", lambda: False)
    assert blas.unpacked(512, 512, 512, 4, ord("N"), ord("N")) is None


@pytest.mark.parametrize("shape", [(0, 5, 600), (600, 0, 600), (1, 700, 700), (700, 700, 1), (5, 5, 5), (300, 1, 1000)])
def test_small_and_empty_products_are_numpys(shape):
    m, k, n = shape
    a, b = matrix(m, k, np.float32, "rows"), matrix(k, n, np.float32, "rows")
    np.testing.assert_array_equal(blas.matmul(a, b), np.matmul(a, b))


OTHERS = {
    "integers": (np.arange(90_000).reshape(300, 300), np.ones((300, 300), int)),
    "mixed dtypes": (np.ones((300, 300), np.float32), np.ones((300, 300))),
    "complex": (np.ones((100, 100), complex), np.ones((100, 100), complex)),
    "half": (np.ones((80, 80), np.float16), np.ones((80, 80), np.float16)),
    "stacks": (np.ones((3, 80, 80)), np.ones((80, 80))),
    "vector": (np.ones((600, 600)), np.ones(600)),
    "steps": (np.ones((600, 600))[::2, ::2], np.ones((300, 300))),
    "backwards": (np.arange(90_000.0).reshape(300, 300)[::-1], np.eye(300)),
    "broadcast": (np.broadcast_to(np.arange(300.0), (300, 300)), np.eye(300)),
    "other byte order": (np.eye(300, dtype=">f4"), np.eye(300, dtype=">f4")),
    "a subclass": (np.ones((300, 300)).view(np.matrix), np.ones((300, 300))),
}


@pytest.mark.filterwarnings(
    "ignore:the matrix subclass:PendingDeprecationWarning"
)  # NumPy's own, for the one made here
@pytest.mark.parametrize("pair", OTHERS.values(), ids=OTHERS)
def test_what_blas_does_not_take_is_numpys(pair):
    expected = np.matmul(*pair)
    found = blas.matmul(*pair)
    assert (found.dtype, type(found)) == (expected.dtype, type(expected))
    np.testing.assert_array_equal(found, expected)


def test_wrong_shapes_are_numpys_error():
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        blas.matmul(np.ones((300, 300)), np.ones((301, 300)))


@pytest.mark.parametrize("layout", ["rows", "wide", "columns"])
def test_out(layout):
    a, b = matrix(200, 150, np.float32, "rows"), matrix(150, 130, np.float32, "rows")
    out = matrix(200, 130, np.float32, layout)
    beside = out.base.copy() if layout == "wide" else None
    out[:] = np.nan  # what was there is not read
    assert blas.matmul(a, b, out) is out
    close(out, a, b)
    if beside is not None:
        np.testing.assert_array_equal(out.base[:, 130:], beside[:, 130:])


def test_out_that_is_an_input():
    a = rng.standard_normal((200, 200))
    expected = a @ a
    np.testing.assert_allclose(blas.matmul(a, a, a), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("out", [np.empty((200, 201)), np.empty((200, 200), int)])
def test_an_out_that_does_not_fit_is_numpys_error(out):
    a = np.ones((200, 200))
    with pytest.raises((ValueError, TypeError), match=r"(?i)mismatch|cast"):
        blas.matmul(a, a, out)


def test_nan_and_infinity_pass_through():
    a, b = np.ones((200, 200)), np.ones((200, 200))
    a[3, 4], a[7, 7] = np.nan, np.inf
    found = blas.matmul(a, b)
    assert np.isnan(found[3]).all()
    assert (found[7] == np.inf).all()
    assert (np.delete(found, [3, 7], axis=0) == 200).all()


def limits():
    return {library["filepath"]: library["num_threads"] for library in threadpoolctl.threadpool_info()}


def test_the_threads_of_each_blas_are_what_they_were():
    a = np.ones((300, 300), np.float32)
    blas.matmul(a, a)  # loads SciPy's
    before = limits()
    wrong = []

    def caller():
        wrong.extend([1] * (not (blas.matmul(a, a) == 300).all()) for _ in range(100))

    callers = [threading.Thread(target=caller) for _ in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert not any(wrong)
    assert limits() == before


def test_an_entry_of_a_table():
    a, b = matrix(200, 300, np.float32, "rows"), matrix(300, 250, np.float32, "columns")
    first, second = np.empty((200, 250), np.float32), np.empty((200, 200), np.float32)
    jobs = [blas.entry(a, b, first), blas.entry(first, first.T, second)]
    addresses, sizes, words = zip(*jobs, strict=True)
    table = pool.Table(addresses, sizes, [w.buffer_info()[0] for w in words])
    for _ in range(10):
        first[:], second[:] = 0, 0
        table.run()
        close(first, a, b)
        close(second, first, first.T)


@pytest.mark.parametrize(
    "shape", [(1024, 512, 128), (64, 64, 64), (100_000, 10, 784), (10, 100_000, 784), (257, 255, 300)]
)
@pytest.mark.parametrize("cores", [1, 2, 3, 4, 6, 64])
def test_there_is_a_block_for_each_core_where_that_is_worth_it(shape, cores):
    m, n, k = shape
    rows, columns = blas.grid(m, n, k, cores)
    assert 0 < rows <= m
    assert 0 < columns <= n
    blocks = -(-m // rows) * -(-n // columns)
    assert blocks <= cores
    assert blocks > cores / 2 or 2 * m * n * k < cores * blas.SINGLE


FORK = """
import os, threading
import numpy as np
from autograd.kernels import blas
a = np.ones((300, 300), np.float32)
running = True
def work():
    while running:
        blas.matmul(a, a)
worker = threading.Thread(target=work)
blas.matmul(a, a)
worker.start()
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if (blas.matmul(a, a) == 300).all() else 1)
    assert os.waitpid(pid, 0)[1] == 0
running = False
worker.join()
print("right")
"""

if hasattr(os, "fork"):

    def test_products_in_a_child_of_a_busy_process():
        done = subprocess.run(
            [sys.executable, "-c", FORK],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert (done.stdout, done.returncode) == ("right\n", 0)


FOUND = """
import sys
import numpy as np
from autograd.kernels import blas, blas_library
carried = blas_library.carried_library()
assert (blas.matmul(np.ones((300, 300)), np.ones((300, 300))) == 300).all()
early = "scipy.linalg" in sys.modules
from autograd.kernels import blas_loaded
loaded = blas_loaded.loaded_library()
assert early == (carried is None)
if carried is not None:
    own, other = (library.address("openblas_set_num_threads") for library in (carried, loaded))
    assert (own, carried[3:]) == (other, loaded[3:])
print(blas_loaded.exported("dgemm") > 0)
"""


def test_scipys_blas_is_the_same_found_as_a_file_and_loaded_with_its_linear_algebra():
    done = subprocess.run(
        [sys.executable, "-c", FOUND],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.returncode, done.stderr) == ("True\n", 0, "")
