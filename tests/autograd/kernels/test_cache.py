"""Compiled kernels on disk: found again, never wrong, and harmless when the disk is not as it should be."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from autograd.config import config
from autograd.kernels import __main__ as command
from autograd.kernels import cache, compile, loader

ROOT = Path(__file__).parents[3]
SCALE = """
def kernel(lo, hi, args):
    x, factor = pointer_f8(args, 0), scalar_f8(args, 1)
    for i in range(lo, hi):
        x[i] *= factor * {factor}
"""


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
        warnings.simplefilter("error")  # no folder was asked for, so none is missed
        assert scaled() == 6
    assert not folder.exists()


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


@pytest.mark.parametrize(("factor", "needed"), [("7", False), ("float(np.floor(7.5))", True)])
def test_numba_is_imported_only_to_compile_what_the_small_language_does_not_say(tmp_path, factor, needed):
    source = SCALE.format(factor=factor)
    seen = [json.loads(finished(python(ONE, source, WENGERT_CACHE_DIR=str(tmp_path)))) for _ in range(2)]
    assert seen == [{"early": [], "value": [14, 14], "numba": cold} for cold in (needed, False)]
    assert len(files(tmp_path)) == 2  # the kernel and the pool's own


THOROUGH = settings.get_current_profile_name() == "thorough"  # pytest --hypothesis-profile=thorough
ROUNDS, PROCESSES = (50 if THOROUGH else 6), 8
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


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("math", "'math' names no function. Expected module:function"),
        ("math:no_such", "has no attribute 'no_such'"),
        ("no_such:f", "No module named"),
        ("math:sqrt", "TypeError: math.sqrt"),
    ],
)
def test_warm_says_which_function_cannot_be_called(folder, capsys, target, words):
    assert command.main(["warm", target]) == 2
    assert f"{target}: " in (said := capsys.readouterr().err)
    assert words in said
