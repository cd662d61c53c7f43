"""What the source of a kernel may say: the C library, typed pointers, bits as numbers; and what it may not."""

import sys

import numpy as np
import pytest

from autograd.errors import UnsupportedError
from autograd.kernels import cache, compile

SCALE = """
def kernel(lo, hi, args):
    x = pointer_f8(args, 0)
    for i in range(lo, hi):
        x[i] *= {}
"""
FILL_AND_EXP = """
def kernel(lo, hi, args):
    x, y = pointer_f8(args, 0), pointer_f8(args, 1)
    for i in range(lo, hi):
        x[i] = 0.0
    for i in range(lo, hi):
        y[i] = np.exp(y[i])
"""


def test_what_becomes_a_call_of_the_c_library_finds_it(folder, monkeypatch):
    for _ in range(2):
        x, y = np.ones(1000), np.arange(1000.0) / 100
        words = np.array([a.ctypes.data for a in (x, y)])
        compile.get(FILL_AND_EXP).call(0, 1000, words.ctypes.data)
        assert not x.any()
        np.testing.assert_allclose(y, np.exp(np.arange(1000.0) / 100), rtol=1e-15)
        monkeypatch.setattr(compile, "_memory", {})
    (path,) = list(folder.glob("*.kernel"))
    code = cache.Entry.unpack(path.read_bytes()).code
    assert b"memset\0" in code  # else this test tests nothing
    assert b"exp\0" in code


@pytest.mark.parametrize("line", ["print(lo)", "np.zeros(hi)[lo] = 1.0", "args[0] = len([lo, hi])"])
def test_a_kernel_that_would_need_python_is_refused(line, folder):
    with pytest.raises(UnsupportedError, match="Expected arithmetic on numbers and pointers only"):
        compile.get(f"def kernel(lo, hi, args):\n    {line}\n")
    assert not list(folder.glob("*.kernel"))


def test_kernels_of_one_name_stay_apart(folder):
    kernels = [compile.get(SCALE.format(k)) for k in range(1, 4)]
    x = np.ones(3)
    words = np.array([x.ctypes.data])
    for k, kernel in enumerate(kernels):
        kernel.call(k, k + 1, words.ctypes.data)
    assert x.tolist() == [1, 2, 3]
    assert len({kernel.address for kernel in kernels}) == 3


@pytest.mark.parametrize("code", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"])
def test_pointers_have_the_dtypes_that_they_are_named_for(code, folder):
    x = np.array([0, 1, 0, 1]).astype(code)
    out = np.zeros(4, code)
    words = np.array([x.ctypes.data, out.ctypes.data])
    text = f"""
def kernel(lo, hi, args):
    x, out = pointer_{code}(args, 0), pointer_{code}(args, 1)
    for i in range(lo, hi):
        out[i] = x[i]
"""
    compile.get(text).call(0, 4, words.ctypes.data)
    assert out.tolist() == x.tolist()


@pytest.mark.parametrize(("code", "value"), [("f4", -2.5), ("f8", 1e-300), ("i4", -7), ("i8", -1), ("u4", 2**32 - 1)])
def test_scalars_are_the_bits_of_their_word(code, value, folder):
    bits = np.array([value], code).tobytes().ljust(8, b"\xaa")
    out = np.zeros(1, code)
    words = np.array([out.ctypes.data, int.from_bytes(bits, sys.byteorder, signed=True)])
    compile.get(f"def kernel(lo, hi, args):\n    pointer_{code}(args, 0)[0] = scalar_{code}(args, 1)\n").call(
        0, 1, words.ctypes.data
    )
    assert out[0] == np.array(value, code)
