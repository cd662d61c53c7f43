"""The configuration object: the process, a block of it, and what is refused."""

import sys

import pytest

from autograd.config import Settings, config, default_cache
from autograd.errors import ArgumentError


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
    [
        ("kernels", 1, "True or False"),
        ("spin", -1, "0 or more"),
        ("spim", 1, "Expected one of kernels, cache, spin, linger"),
        ("linger", float("nan"), "0 or more"),
        ("keep", -1, "number of bytes"),
        ("keep", 1e6, "number of bytes"),
    ],
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
    assert Settings(kernels=True, cache=str(tmp_path), spin=0.0, linger=0.0, keep=0).cache == tmp_path
