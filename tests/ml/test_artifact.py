"""A model file that was changed, lost or half written is never used."""

from __future__ import annotations

import numpy as np
import pytest

from ml.artifact import BrokenArtifact, load, save, words

META = {"classes": ["no", "yes"], "temperature": 1.1}
ARRAYS = {"weights": np.arange(6, dtype=np.int8).reshape(2, 3), "scale": np.array([0.5, 0.25])}


def test_what_was_saved_is_loaded(tmp_path):
    saved = save("toy", META, ARRAYS, tmp_path)
    loaded = load("toy", tmp_path)
    assert loaded.version == saved.version
    assert loaded.meta["temperature"] == 1.1
    assert {name: array.tolist() for name, array in loaded.arrays.items()} == {name: array.tolist() for name, array in ARRAYS.items()}


def test_the_same_content_gives_the_same_bytes_and_version(tmp_path):
    first, second = save("toy", META, ARRAYS, tmp_path / "a"), save("toy", META, dict(reversed(ARRAYS.items())), tmp_path / "b")
    assert first.version == second.version
    assert (tmp_path / "a/toy.npz").read_bytes() == (tmp_path / "b/toy.npz").read_bytes()


def test_other_content_has_another_version(tmp_path):
    assert save("toy", META, ARRAYS, tmp_path / "a").version != save("toy", META | {"temperature": 1.2}, ARRAYS, tmp_path / "b").version


def test_a_changed_number_is_found_out(tmp_path):
    save("toy", META, ARRAYS, tmp_path)
    path = tmp_path / "toy.json"
    path.write_text(path.read_text().replace("1.1", "1.2"))
    with pytest.raises(BrokenArtifact, match=r"changed after training.*python -m ml\.train\.toy"):
        load("toy", tmp_path)


def test_changed_weights_are_found_out(tmp_path):
    save("toy", META, ARRAYS, tmp_path)
    content = bytearray((tmp_path / "toy.npz").read_bytes())
    content[40] ^= 1
    (tmp_path / "toy.npz").write_bytes(content)
    with pytest.raises(BrokenArtifact, match="recorded hash"):
        load("toy", tmp_path)


@pytest.mark.parametrize("missing", ["toy.json", "toy.npz"])
def test_a_missing_file_is_named(tmp_path, missing):
    save("toy", META, ARRAYS, tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(BrokenArtifact, match=missing):
        load("toy", tmp_path)


def test_no_pickle_is_read(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        save("toy", META, {"evil": np.array([object()])}, tmp_path)


@pytest.mark.parametrize("name", ["mail", "situations", "valence"])
def test_the_word_lists_are_part_of_the_package(name):
    assert words(name)
