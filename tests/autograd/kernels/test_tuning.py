"""The tuning file: what is written is read, what cannot be trusted is not, and kernels heed it."""

import json

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import ArgumentError
from autograd.kernels import tuning
from autograd.program.part import BLOCK


@pytest.fixture
def folder(tmp_path):
    before = config.cache
    config.cache = tmp_path / "cache"
    yield tmp_path / "cache"
    config.cache = before


def test_without_a_file_the_rules_hold(folder):
    assert {kind: tuning.smallest(kind) for kind in tuning.DEFAULTS} == tuning.DEFAULTS
    assert [tuning.chunks(kind) for kind in ("map", "costly map", "total")] == [4, 4, 4]
    assert tuning.BLOCK == BLOCK
    assert not folder.exists()


def test_what_is_written_is_read(folder):
    assert tuning.write({"map": 100_000}) == folder / "tuning.json"
    tuning.write({"total": 20_000})
    assert tuning.read() == {"map": 100_000, "total": 20_000}
    assert [tuning.chunks(kind) for kind in ("map", "costly map", "total")] == [13, 4, 3]
    assert [path.name for path in folder.iterdir()] == ["tuning.json"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {**d, "format": 2},
        lambda d: {**d, "machine": {"cpu": "another", "cores": 64}},
        lambda d: {**d, "smallest": {"map": -5, "total": "many", "other": 7}},
        lambda d: {},
        lambda d: [],
        lambda d: {**d, "smallest": None},
    ],
)
def test_a_file_that_does_not_hold_here_is_passed_over(folder, change):
    path = tuning.write({"map": 100_000})
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    tuning._read.cache_clear()
    assert tuning.read() == {}
    assert tuning.smallest("map") == tuning.DEFAULTS["map"]


def test_a_damaged_file_is_passed_over(folder):
    path = tuning.write({"map": 100_000})
    path.write_text("{")
    tuning._read.cache_clear()
    assert tuning.chunks("map") == 4


def test_a_block_may_have_its_own_numbers():
    before = tuning.chunks("map")
    with tuning.using(map=1):
        with tuning.using(map=1 << 20, total=9000):
            assert (tuning.chunks("map"), tuning.chunks("total")) == (128, 2)
        assert tuning.chunks("map") == 2  # one chunk has no work for two
    assert tuning.chunks("map") == before


@pytest.mark.parametrize("values", [{"other": 5}, {"map": 0}, {"map": 2.5}, {"map": True}])
def test_what_is_no_number_of_elements_is_refused(folder, values):
    with pytest.raises(ArgumentError, match=r"tuning was given .* Expected elements of map"):
        tuning.write(values)
    assert not folder.exists()


def test_unknown_kinds_are_refused():
    with pytest.raises(ArgumentError, match=r"tuning has no kind 'row'\. Expected one of map"):
        tuning.smallest("row")


def test_without_a_folder_there_is_no_file():
    with config.using(cache=None), pytest.raises(ArgumentError, match=r"config\.cache is None"):
        tuning.write({"map": 5})


@pytest.mark.parametrize("elements", [1, 1 << 62])
def test_the_threshold_changes_who_computes_and_not_what(elements):
    x = np.random.default_rng(0).standard_normal(100_000)
    expected = ag.fused(lambda x: ag.sum(ag.tanh(x) * x))(x)
    with tuning.using(dict.fromkeys(("map", "costly map", "total"), elements)):
        assert ag.fused(lambda x: ag.sum(ag.tanh(x) * x))(x) == expected
