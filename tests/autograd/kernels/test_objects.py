"""What is read of ndarrays natively is what Python reads of them."""

import numpy as np
import pytest

from autograd.kernels import objects
from autograd.kernels.batch import Batch
from autograd.kernels.compile import get


def test_this_machine_reads_natively():
    assert objects.layout()


@pytest.mark.parametrize("way", ["native", "plain"])
def test_survey_tells_what_fits(way):
    a, b, turned = np.ones((2, 3)), np.ones(6), np.ones((3, 2)).T
    out, sizes = np.zeros(2, np.intp), np.array([6, 6])

    def fits(*arrays, dtype="float64", references=0):
        survey = objects.Survey(np.dtype(dtype), sizes[: len(arrays)], out)
        return getattr(survey, way)(list(arrays), references)

    assert fits(a, b)
    assert out.tolist() == [a.ctypes.data, b.ctypes.data]
    assert not fits(a, turned)
    assert not fits(a, np.ones(5))
    assert not fits(a, b, dtype="float32")
    assert not fits(a, np.float64(1.0))
    assert fits(a, references=3)  # the name, the arguments, the list
    held = [a]
    assert not fits(a, references=3)
    assert fits(a, references=4)
    assert held[0] is a


@pytest.mark.parametrize("sizes", [[5, 1, 70_000, 0, 33_000], [3] * 1000])
def test_a_batch_runs_every_set_once(sizes):
    source = """
def kernel(lo, hi, args):
    x = pointer_f8(args, 2)
    for c in range(lo, hi):
        for i in range(c * args[1], min(args[0], c * args[1] + args[1])):
            x[i] += 1.0
"""
    arrays = [np.zeros(n) for n in sizes]
    table = np.array([[a.size, 8192, a.ctypes.data] for a in arrays], np.intp)
    batch = Batch(get(source).address, table, np.array(sizes), 8192)
    batch.run()
    batch.run()
    assert [float(a.sum()) for a in arrays] == [2.0 * n for n in sizes]
