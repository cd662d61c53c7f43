"""Compiled kernels on disk: found again, never wrong, and harmless when the disk is not as it should be."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from autograd.config import Settings, config, default_cache
from autograd.errors import ArgumentError, UnsupportedError
from autograd.kernels import __main__ as command
from autograd.kernels import cache, compile, loader

ROOT = Path(__file__).parents[3]
SCALE = """
def kernel(lo, hi, args):
    x, factor = pointer_f8(args, 0), scalar_f8(args, 1)
    for i in range(lo, hi):
        x[i] *= factor * {factor}
"""
FILL_AND_EXP = """
def kernel(lo, hi, args):
    x, y = pointer_f8(args, 0), pointer_f8(args, 1)
    for i in range(lo, hi):
        x[i] = 0.0
    for i in range(lo, hi):
        y[i] = np.exp(y[i])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache for a process that has compiled and complained about nothing yet."""
    monkeypatch.setattr(compile, "_memory", {})
    monkeypatch.setattr(cache, "_warned", [])
    with config.using(cache=tmp_path / "kernels"):
        yield tmp_path / "kernels"


def forget(monkeypatch):
    monkeypatch.setattr(compile, "_memory", {})


def scaled(factor=3):
    """What the kernel makes of ones, by 2 and by the factor in its source."""
    x = np.ones(100)
    words = np.array([x.ctypes.data, np.float64(2).view(np.int64)])
    kernel = compile.get(SCALE.format(factor=factor))
    kernel.call(10, 90, words.ctypes.data)
    assert (x[:10] == 1).all()
    assert (x[90:] == 1).all()
    assert np.ptp(x[10:90]) == 0
    return x[50]


def files(folder):
    return sorted(folder.glob("*.kernel"))


# ---- one process


def test_a_kernel_is_compiled_once_and_then_read(folder, monkeypatch):
    assert scaled() == 6
    (path,) = files(folder)
    before = path.read_bytes(), path.stat().st_mtime_ns
    forget(monkeypatch)
    assert scaled() == 6
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(folder.iterdir()) == [path]


def test_the_folder_is_the_users_alone(folder):
    scaled()
    assert folder.stat().st_mode & 0o777 == (0o700 if os.name == "posix" else 0o777)


def fields_of(**changes):
    plain = {
        "text": SCALE,
        "name": "kernel",
        "reads": ("def helper(): pass",),
        "flags": ("nsz",),
        "signature": ("intp",),
    }
    return compile.Source(**(plain | changes)).fields()


@pytest.mark.parametrize(
    "changes",
    [
        {"text": SCALE + " "},
        {"name": "other"},
        {"reads": ("def helper(): return",)},
        {"reads": ()},
        {"flags": ("nsz", "contract")},
        {"signature": ("intp", "intp")},
    ],
)
def test_whatever_the_code_depends_on_changes_the_key(changes):
    assert cache.digest(fields_of()) == cache.digest(fields_of())
    assert cache.digest(fields_of(**changes)) != cache.digest(fields_of())


@pytest.mark.parametrize("name", ["numba", "llvmlite", "numpy", "python", "triple", "cpu", "features", "environment"])
def test_versions_and_processor_change_the_key(name, monkeypatch):
    before = fields_of()
    assert before[name] is not None
    monkeypatch.setattr(loader, "machine_fields", lambda: dict.fromkeys(before, "") | {name: "another"})
    assert cache.digest({**before, name: "another"}) != cache.digest(before)
    assert fields_of()[name] == "another"


def test_an_edit_to_a_module_of_the_house_changes_the_key(tmp_path, monkeypatch):
    (tmp_path / "maths").mkdir()
    helper = tmp_path / "maths" / "helper.py"
    keys = []
    for text in ("def f(x): return x", "def f(x): return -x"):
        helper.write_text(text)
        monkeypatch.setattr(compile, "_FOLDER", tmp_path)
        compile._house.cache_clear()
        keys.append(cache.digest(fields_of()))
    monkeypatch.undo()
    compile._house.cache_clear()
    assert len({*keys, cache.digest(fields_of())}) == 3


def test_an_edit_to_a_callee_compiles_again(folder):
    for text in ("one", "another", "one"):
        compile.get(SCALE.format(factor=1), reads=(text,))
    assert len(files(folder)) == 2


def cut(data):
    return data[: len(data) // 2]


def flipped(place):
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGES = {
    "empty": lambda data: b"",
    "truncated": cut,
    "header only": lambda data: data.partition(b"\n")[0],
    "a byte of the code": flipped(-40),
    "a byte of the header": flipped(30),
    "no header": lambda data: data.partition(b"\n")[2],
    "not JSON": lambda data: b"\xff\xfe" + data,
    "another JSON": lambda data: b"[1]\n" + data,
    "longer": lambda data: data + b"more",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_compiled_again_with_one_warning(damage, folder, monkeypatch):
    scaled()
    (path,) = files(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert [entry for _, entry in cache.entries()] == [None]
    forget(monkeypatch)
    with pytest.warns(cache.CacheWarning, match="cannot be used .* compiled again") as seen:
        assert scaled() == 6
    assert len(seen) == 1
    assert [entry.key for _, entry in cache.entries()] == [path.stem]
    path.write_bytes(damage(whole))
    forget(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the second complaint of a process is not made
        assert scaled() == 6


def test_the_entry_of_another_kernel_is_not_taken_for_this_one(folder, monkeypatch):
    assert scaled(3) == 6
    (three,) = files(folder)
    assert scaled(5) == 10
    (five,) = set(files(folder)) - {three}
    five.write_bytes(three.read_bytes())
    forget(monkeypatch)
    with pytest.warns(cache.CacheWarning, match="entry of another kernel"):
        assert scaled(5) == 10


def test_an_object_file_that_does_not_load_is_compiled_again(folder, monkeypatch):
    scaled()
    (path,) = files(folder)
    entry = cache.Entry.unpack(path.read_bytes())
    path.write_bytes(cache.Entry("absent", entry.needs, entry.fields, entry.code).pack())
    forget(monkeypatch)
    with pytest.warns(cache.CacheWarning, match="no function absent"):
        assert scaled() == 6


def test_a_folder_that_cannot_be_made_warns_once_and_works(tmp_path, folder):
    (tmp_path / "file").write_text("")
    with (
        config.using(cache=tmp_path / "file" / "kernels"),
        pytest.warns(cache.CacheWarning, match="WENGERT_CACHE_DIR") as seen,
    ):
        assert [scaled(3), scaled(4)] == [6, 8]
    assert len(seen) == 1


if os.name == "posix":  # elsewhere a file has no mode that says so

    def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path, folder):
        tmp_path.chmod(0o777)
        with config.using(cache=tmp_path), pytest.warns(cache.CacheWarning, match="others can write to it") as seen:
            assert [scaled(3), scaled(4)] == [6, 8]
        assert len(seen) == 1
        assert files(tmp_path) == []


def test_no_folder_at_all_works_in_memory(folder):
    with config.using(cache=None), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scaled() == 6
    assert not folder.exists()


# ---- what a kernel may need


def test_what_becomes_a_call_of_the_c_library_finds_it(folder, monkeypatch):
    for _ in range(2):
        x, y = np.ones(1000), np.arange(1000.0) / 100
        words = np.array([a.ctypes.data for a in (x, y)])
        compile.get(FILL_AND_EXP).call(0, 1000, words.ctypes.data)
        assert not x.any()
        np.testing.assert_allclose(y, np.exp(np.arange(1000.0) / 100), rtol=1e-15)
        forget(monkeypatch)
    (path,) = files(folder)
    code = cache.Entry.unpack(path.read_bytes()).code
    assert b"memset\0" in code  # else this test tests nothing
    assert b"exp\0" in code


@pytest.mark.parametrize("line", ["print(lo)", "np.zeros(hi)[lo] = 1.0", "args[0] = len([lo, hi])"])
def test_a_kernel_that_would_need_python_is_refused(line, folder):
    with pytest.raises(UnsupportedError, match="Expected arithmetic on numbers and pointers only"):
        compile.get(f"def kernel(lo, hi, args):\n    {line}\n")
    assert not files(folder)


def test_kernels_of_one_name_stay_apart(folder):
    kernels = [compile.get(SCALE.format(factor=k)) for k in range(1, 4)]
    x = np.ones(3)
    words = np.array([x.ctypes.data, np.float64(1).view(np.int64)])
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


# ---- many processes


def python(script, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    out, error = process.communicate(timeout=50)
    assert (process.returncode, error) == (0, "")
    return out


ONE = """
import json, sys
import autograd
before = [name for name in sys.modules if name.startswith(("autograd.kernels", "numba", "llvmlite"))]
import numpy as np
from autograd.kernels import compile, pool
x = np.ones(200_000)
words = np.array([x.ctypes.data, np.float64(2).view(np.int64)])
kernel = compile.get(sys.argv[1])
pool.run(kernel.address, x.size, words.ctypes.data)
print(json.dumps({"early": before, "value": [x.min(), x.max()], "numba": "numba" in sys.modules}))
"""


def test_a_warm_process_runs_kernels_without_numba(tmp_path):
    seen = [
        json.loads(finished(python(ONE, SCALE.format(factor=7), WENGERT_CACHE_DIR=str(tmp_path)))) for _ in range(2)
    ]
    assert seen == [{"early": [], "value": [14, 14], "numba": cold} for cold in (True, False)]
    assert len(files(tmp_path)) == 2  # the kernel and the pool's own


ROUNDS, PROCESSES = 6, 8
TOGETHER = """
import pathlib, sys, time
import numpy as np
from autograd.kernels import compile, emit
source, rank, processes, rounds, meeting = sys.argv[1], *map(int, sys.argv[2:5]), pathlib.Path(sys.argv[5])
for k in range(1, rounds + 1):
    (meeting / f"{k}-{rank}").touch()
    while len(list(meeting.glob(f"{k}-*"))) < processes:
        time.sleep(0.001)
    x = np.ones(50)
    words = np.array([x.ctypes.data, np.float64(2).view(np.int64)])
    compile.get(source.replace("FACTOR", str(k))).call(0, 50, words.ctypes.data)
    assert (x == 2 * k).all(), (k, x)
print("right")
"""


def test_many_processes_that_start_cold_at_once_agree(tmp_path):
    (meeting := tmp_path / "meeting").mkdir()
    folder = tmp_path / "kernels"
    started = [
        python(TOGETHER, SCALE.format(factor="FACTOR"), rank, PROCESSES, ROUNDS, meeting, WENGERT_CACHE_DIR=str(folder))
        for rank in range(PROCESSES)
    ]
    assert [finished(process) for process in started] == ["right\n"] * PROCESSES
    with config.using(cache=folder):
        found = list(cache.entries())
    assert len(found) == ROUNDS
    assert all(entry is not None for _, entry in found)
    assert sorted(folder.iterdir()) == [path for path, _ in found]  # nothing half-written is left


# ---- the command


def test_list_verify_and_clear(folder, capsys):
    scaled(3)
    scaled(4)
    assert command.main(["list"]) == 0
    assert capsys.readouterr().out.count("kernel") == 2
    assert command.main(["verify"]) == 0
    assert "2 of 2 kernels" in capsys.readouterr().out
    path = files(folder)[0]
    path.write_bytes(cut(path.read_bytes()))
    assert command.main(["verify"]) == 1
    assert f"damaged: {path}\n1 of 2 kernels" in capsys.readouterr().out
    assert command.main(["list"]) == 0
    assert "damaged" in capsys.readouterr().out
    assert command.main(["clear"]) == 0
    assert "2 kernels deleted" in capsys.readouterr().out
    assert files(folder) == []


def test_clear_spares_what_another_process_is_writing(folder, monkeypatch):
    folder.mkdir()
    (folder / ".tmp-now").touch()
    cache.clear()
    assert (folder / ".tmp-now").exists()
    monkeypatch.setattr(cache, "LEFTOVER", -10.0)
    cache.clear()
    assert not (folder / ".tmp-now").exists()


def test_doctor_says_what_there_is(folder, capsys):
    assert command.main(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in ("numba", "llvmlite", "cores", "vectors of", str(folder), "can be written to", "serial call", "blas"):
        assert word in out
    assert "missing" not in out


def test_warm_compiles_what_it_is_told_to(folder, capsys, monkeypatch):
    target = f"{__name__}:scaled"
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
    monkeypatch.setattr(sys.modules[__name__], "scaled", scaled, raising=False)
    assert command.main(["warm", target]) == 0
    assert f"kernels in {folder}" in capsys.readouterr().out
    assert compile.Source(SCALE.format(factor=3), "kernel", (), compile.FLAGS, compile.KERNEL).fields() in [
        entry.fields for _, entry in cache.entries()
    ]


# ---- the configuration


def test_settings_of_a_block_end_with_it():
    before = config.settings
    with config.using(kernels=False), config.using(spin=1.0):
        assert (config.kernels, config.spin, config.cache) == (False, 1.0, before.cache)
    assert config.settings == before


def test_settings_of_the_process():
    before = config.spin
    try:
        config.spin = 5
        assert config.settings.spin == 5
        with config.using(spin=7):
            assert config.spin == 7
    finally:
        config.spin = before
    assert repr(config).startswith("Config(kernels=True")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("kernels", 1, "True or False"), ("spin", -1, "0 or more"), ("spim", 1, "Expected one of kernels, cache, spin")],
)
def test_wrong_settings_are_refused(name, value, words):
    with pytest.raises(ArgumentError, match=words):
        setattr(config, name, value)
    with pytest.raises(ArgumentError, match=words), config.using(**{name: value}):
        pass


def test_the_default_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("WENGERT_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    places = {"linux": "xdg/wengert", "darwin": "Library/Caches/wengert", "win32": "local/wengert/cache"}
    for platform, place in places.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert default_cache() == tmp_path / place
    assert Settings(kernels=True, cache=str(tmp_path), spin=0.0).cache == tmp_path
