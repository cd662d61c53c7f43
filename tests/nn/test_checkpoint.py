"""Files of weights: exact round trips, and the words for every kind of damage."""

import importlib.util
import json
import os
import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import CheckpointError
from nn.checkpoint import load, save
from nn.module import Buffer, Module, Parameter


class Net(Module):
    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.weight = Parameter(rng.standard_normal((3, 4)).astype("f4"))
        self.scale = Parameter(np.float64(2.5))
        self.count = Buffer(np.array([seed], "i8"))


def test_a_module_comes_back_bit_by_bit(tmp_path):
    source, target = Net(1), Net(2)
    save(source, tmp_path / "net.safetensors")
    target.load_state_dict(load(tmp_path / "net.safetensors"))
    for name, t in source.state_dict().items():
        other = target.state_dict()[name]
        assert (other.dtype, other.shape, other.tolist()) == (t.dtype, t.shape, t.tolist())
    assert os.listdir(tmp_path) == ["net.safetensors"]


ARRAYS = {
    "float64": np.array([np.nan, np.inf, -0.0, 5e-324]),
    "float16": np.arange(6, dtype="f2").reshape(2, 3),
    "int64": np.array([-(2**62)]),
    "bool": np.array([True, False]),
    "uint8": np.arange(3, dtype="u1"),
    "scalar": np.array(3.5, "f4"),
    "empty": np.zeros((0, 3), "f4"),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "strided": np.arange(10.0)[::3],
}


def test_any_arrays_come_back(tmp_path):
    save({**ARRAYS, "tensor": ag.tensor([1.0, 2.0], requires_grad=True)}, tmp_path / "a")
    found = load(tmp_path / "a")
    assert sorted(found) == sorted([*ARRAYS, "tensor"])
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].numpy().tobytes() == array.tobytes()
    assert found["tensor"].tolist() == [1.0, 2.0]
    assert not any(t.requires_grad for t in found.values())


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i8", ">u2"])
def test_arrays_of_the_other_byte_order_come_back_in_ours(tmp_path, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    save({"a": array}, tmp_path / "a")
    np.savez(tmp_path / "b.npz", a=array)
    for found in (load(tmp_path / "a")["a"], load(tmp_path / "b.npz")["a"]):
        assert (found.dtype, found.tolist()) == (np.dtype(dtype).newbyteorder("="), array.tolist())


@pytest.mark.parametrize("state", [[1, 2], "net.safetensors", None])
def test_what_is_neither_a_module_nor_arrays_by_name(tmp_path, state):
    with pytest.raises(CheckpointError, match=rf"save was given {type(state).__name__}. Expected a module, or arrays"):
        save(state, tmp_path / "a")


def test_an_empty_state_comes_back(tmp_path):
    save({}, tmp_path / "a")
    assert load(tmp_path / "a") == {}


def test_a_file_without_our_checksum_is_taken(tmp_path):
    from safetensors.numpy import save_file

    save_file({"w": np.arange(3.0)}, tmp_path / "a")
    assert load(tmp_path / "a")["w"].tolist() == [0.0, 1.0, 2.0]


def damaged(path, how):
    save(Net(), path)
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    path.write_bytes(
        {
            "empty": b"",
            "no header": data[:5],
            "truncated header": data[: header // 2],
            "truncated data": data[:-1],
            "longer": data + b"\0",
            "text": b"these are not weights" * 10,
            "pickle": b"\x80\x04\x95" + data,
            "header bit": data[:20] + bytes([data[20] ^ 0x80]) + data[21:],
            "data bit": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        }[how]
    )


@pytest.mark.parametrize(
    "how", ["empty", "no header", "truncated header", "truncated data", "longer", "text", "pickle", "header bit"]
)
def test_damage_is_named(tmp_path, how):
    path = tmp_path / "net.safetensors"
    damaged(path, how)
    size = path.stat().st_size
    with pytest.raises(CheckpointError, match=rf"net.safetensors \({size} bytes\) is truncated, damaged or not a safe"):
        load(path)


def test_a_changed_weight_is_noticed(tmp_path):
    damaged(tmp_path / "net.safetensors", "data bit")
    with pytest.raises(CheckpointError, match=r"net.safetensors is damaged: (.|\n)*checksum differs"):
        load(tmp_path / "net.safetensors")


def test_every_truncation_is_an_error(tmp_path):
    path = tmp_path / "a"
    save(Net(), path)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(CheckpointError, match="truncated"):
            load(path)


def test_a_missing_file_is_pythons_own_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_a_file_of_another_model_changes_nothing(tmp_path):
    save({"weight": np.zeros((3, 4), "f4")}, tmp_path / "a")
    net = Net(3)
    before = repr(net.state_dict())
    with pytest.raises(CheckpointError, match="scale"):
        net.load_state_dict(load(tmp_path / "a"))
    assert repr(net.state_dict()) == before


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"w": np.array(["a"])}, "'w' of dtype <U1. Expected names with arrays of real numbers"),
        ({"w": np.array([1j])}, "'w' of dtype complex128"),
        ({0: np.zeros(2)}, "given 0 of dtype float64. Expected names"),
    ],
)
def test_what_cannot_be_saved(tmp_path, state, words):
    (tmp_path / "a").write_text("old")
    with pytest.raises(CheckpointError, match=words):
        save(state, tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, failing):
    save({"w": np.zeros(2)}, tmp_path / "a")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        save({"w": np.ones(2)}, tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]
    assert load(tmp_path / "a")["w"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("call", [lambda path: save({}, path), load])
def test_without_the_library(tmp_path, monkeypatch, call):
    save({}, tmp_path / "a")
    np.savez(tmp_path / "b", w=np.ones(2))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"pip install 'wengert\[weights\]'"):
        call(tmp_path / "a")
    assert load(tmp_path / "b.npz")["w"].tolist() == [1.0, 1.0]


SOURCES = ["header"] + (["live"] if importlib.util.find_spec("torch") else [])


@pytest.mark.parametrize("source", SOURCES)
def test_the_format_is_pytorchs(tmp_path, source):
    net = Net(4)
    save(net, tmp_path / "a")
    if source == "live":
        from safetensors.torch import load_file

        found = {name: t.numpy() for name, t in load_file(tmp_path / "a").items()}
    else:
        data = (tmp_path / "a").read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        assert header.pop("__metadata__")["format"] == "pt"
        kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
        found = {}
        for name, entry in header.items():
            low, high = (start + k for k in entry["data_offsets"])
            found[name] = np.frombuffer(data[low:high], kinds[entry["dtype"]]).reshape(entry["shape"])
    for name, t in net.state_dict().items():
        np.testing.assert_array_equal(found[name], t.numpy())


# ---- other people's files


def written(path, entries, notes=None):
    """A safetensors file by hand: (dtype, shape, bytes) by name."""
    header, body = {"__metadata__": notes} if notes else {}, b""
    for name, (kind, shape, raw) in entries.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


BF16 = np.array([0x3FC0, 0xC010, 0x7FC0, 0x7F80, 0x0001, 0x8000], "<u2")  # 1.5, -2.25, NaN, inf, 2^-133, -0


def test_bfloat16_becomes_float32_exactly(tmp_path):
    written(tmp_path / "a", {"w": ("BF16", [2, 3], BF16.tobytes())})
    w = load(tmp_path / "a")["w"]
    assert (w.dtype, w.shape) == (np.float32, (2, 3))
    np.testing.assert_array_equal(w, np.array([[1.5, -2.25, np.nan], [np.inf, 2.0**-133, -0.0]], "f4"))
    assert np.signbit(w.numpy()[1, 2])


def test_half_precision_is_cast_by_the_module(tmp_path):
    half = np.array([[0.1, 2.0, -3.0]], "f2")
    save({"weight": half}, tmp_path / "a")
    assert load(tmp_path / "a")["weight"].dtype == np.float16
    layer = nn.Linear(3, 1, bias=False)
    layer.load_state_dict(load(tmp_path / "a"))
    assert layer.weight.dtype == np.float32
    np.testing.assert_array_equal(layer.weight.detach(), half.astype("f4"))


def test_a_dtype_that_numpy_lacks_is_named(tmp_path):
    written(tmp_path / "a", {"w": ("F8_E4M3", [2], b"ab")})
    with pytest.raises(
        CheckpointError, match=r"a has w of dtype F8_E4M3, which NumPy lacks. Expected one of: BF16, F64"
    ):
        load(tmp_path / "a")


def test_what_was_stored_once_is_given_under_every_name(tmp_path):
    w = np.arange(4.0).reshape(2, 2)
    written(
        tmp_path / "a", {"0.weight": ("F64", [2, 2], w.tobytes())}, {"1.weight": "0.weight", "format": "pt", "x": "y"}
    )
    found = load(tmp_path / "a")
    assert sorted(found) == ["0.weight", "1.weight"]
    np.testing.assert_array_equal(found["1.weight"], w)


def test_an_npz_file_gives_the_same_outputs(tmp_path):
    source, target = (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)) for _ in range(2))
    source(ag.random.normal(size=(8, 3), dtype="float32"))
    x = ag.random.normal(size=(5, 3), dtype="float32")
    arrays = {name: t.numpy() for name, t in source.state_dict().items()}
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "net.npz", **arrays)
        assert target.load_state_dict(load(tmp_path / "net.npz")) == ([], [])
        np.testing.assert_array_equal(target.eval()(x).detach(), source.eval()(x).detach())
    (tmp_path / "net.npz").rename(tmp_path / "net")  # the content decides
    assert list(load(tmp_path / "net")) == list(arrays)


@pytest.mark.parametrize("cut", [5, 30, 100, -1])
def test_a_damaged_npz_file_is_named(tmp_path, cut):
    path = tmp_path / "a.npz"
    np.savez(path, w=np.arange(100.0))
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    with pytest.raises(CheckpointError, match=r"a.npz \(\d+ bytes\) is truncated, damaged or not an .npz file"):
        load(path)
    flipped = bytearray(data)
    flipped[300] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(CheckpointError, match=r"not an .npz file of numbers: Bad CRC-32"):
        load(path)


def test_npz_files_of_other_things(tmp_path):
    np.savez(tmp_path / "a", w=np.array([{}], object))
    with pytest.raises(CheckpointError, match=r"not an .npz file of numbers: Object arrays cannot be loaded"):
        load(tmp_path / "a.npz")
    np.savez(tmp_path / "a", w=np.array([1j]))
    with pytest.raises(CheckpointError, match=r"a.npz has 'w' of dtype complex128. Expected names with arrays of real"):
        load(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("model/data.pkl", b"cos\nsystem\n")
    with pytest.raises(
        CheckpointError, match=r"holds model/data.pkl, no .npz file. (.|\n)*safetensors.torch.save_file"
    ):
        load(tmp_path / "model.pt")


PYTORCH = Path(__file__).parents[1] / "figures" / "pytorch.safetensors"
FIGURE = runpy.run_path(str(PYTORCH.with_name("make_pytorch.py")))


@pytest.mark.parametrize("source", ["stored"] + (["live"] if importlib.util.find_spec("torch") else []))
def test_a_file_that_pytorch_wrote_gives_its_outputs(tmp_path, source):
    path = PYTORCH
    if source == "live":
        path = tmp_path / "live.safetensors"
        FIGURE["write"](path)
    found = load(path)
    model = FIGURE["model"](nn).eval()
    x, y = found.pop("figures.x"), found.pop("figures.y")
    assert found["3.weight"].dtype == np.float32  # stored as bfloat16
    assert found["5.weight"].dtype == np.float16
    np.testing.assert_array_equal(found["2.weight"], found["1.weight"])  # stored once
    assert model.load_state_dict(found) == ([], [])
    np.testing.assert_allclose(model(x).detach(), y, rtol=2e-5, atol=1e-6)
