"""Motions on disk: exact, checked, and never half written."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.motion import Motion
from retarget_cli.perception.motion_file import is_motion_file, load_motion, read_provenance, save_motion


def _motion(count: int = 5, fitted: bool = True) -> Motion:
    random = np.random.default_rng(1)

    def floats(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return Motion(
        size=(1280, 720),
        times=tuple(Fraction(1001 * i, 30000) + Fraction(1, 7) for i in range(count)),
        present=np.array([i != 2 for i in range(count)]),
        pose=floats(count, 33, 3),
        world=floats(count, 33, 3),
        body="anny" if fitted else "",
        theta=floats(count, 24, 3) if fitted else None,
        camera=floats(count, 3) if fitted else None,
        betas=floats(10) if fitted else None,
    )


def _rewrite(path: Path, metadata: dict[str, str] | None = None, **arrays: np.ndarray | None) -> None:
    """The same file with some arrays or metadata replaced; None drops an array."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    kept = {**load(content), **arrays}
    told = header["__metadata__"] | (metadata or {})
    path.write_bytes(save({name: value for name, value in kept.items() if value is not None}, told))


@pytest.mark.parametrize("fitted", [True, False])
def test_round_trip(tmp_path: Path, fitted: bool) -> None:
    motion = _motion(fitted=fitted)
    path = tmp_path / "any name.bin"
    save_motion(path, motion, {"driving": "dance.mp4"})
    found = load_motion(path)
    assert found.size == (1280, 720)
    assert found.times == motion.times
    assert found.body == motion.body
    for name in ("present", "pose", "world", "theta", "camera", "betas"):
        was, now = getattr(motion, name), getattr(found, name)
        assert (was is None) == (now is None)
        if was is not None:
            np.testing.assert_array_equal(was, now)
            assert was.dtype == now.dtype
    assert is_motion_file(path)
    assert read_provenance(path) == {"driving": "dance.mp4"}
    assert [item.name for item in tmp_path.iterdir()] == ["any name.bin"]


def test_a_window_of_a_motion_is_saved_right(tmp_path: Path) -> None:
    part = _motion().rows(1, 3)
    save_motion(tmp_path / "m", part, {})
    np.testing.assert_array_equal(load_motion(tmp_path / "m").pose, part.pose)


@pytest.mark.parametrize(
    ("arrays", "metadata", "told"),
    [
        ({"pose": np.zeros((5, 32, 3), np.float32)}, {}, r"pose is float32 \(5, 32, 3\)"),
        ({"pose": np.zeros((5, 33, 3), np.float64)}, {}, "pose is float64"),
        ({"world": np.full((5, 33, 3), np.nan, np.float32)}, {}, "world holds values that are not finite"),
        ({"theta": np.full((5, 24, 3), np.inf, np.float32)}, {}, "theta holds values"),
        ({"times": np.array([0, 1, 1, 2, 3])}, {}, "do not increase"),
        ({"times": np.array([0.0, 1, 2, 3, 4])}, {}, "times is float64"),
        ({"times": np.zeros(0, np.int64)}, {}, "T >= 1"),
        ({"present": np.ones(4, bool)}, {}, "present is bool"),
        ({"present": np.ones(5, np.uint8)}, {}, "present is uint8"),
        ({"pose": None}, {}, "pose"),
        ({"camera": None}, {}, "only"),
        ({}, {"time_denominator": "0"}, "denominator"),
        ({}, {"time_denominator": "x"}, "damaged"),
        ({}, {"size": "[0, 7]"}, "size is 0x7"),
        ({}, {"size": "7"}, "damaged"),
        ({}, {"version": "soon"}, "version"),
    ],
)
def test_damage_is_told(
    tmp_path: Path, arrays: dict[str, np.ndarray | None], metadata: dict[str, str], told: str
) -> None:
    path = tmp_path / "m.motion"
    save_motion(path, _motion(), {})
    _rewrite(path, metadata, **arrays)
    with pytest.raises(InputError, match=told) as caught:
        load_motion(path)
    assert "m.motion" in caught.value.message
    assert caught.value.hint


def test_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "m.motion"
    save_motion(path, _motion(), {})
    _rewrite(path, {"version": "2"})
    with pytest.raises(InputError, match="motion format 2") as caught:
        load_motion(path)
    assert "update" in caught.value.hint


def test_unknown_arrays_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "m.motion"
    save_motion(path, _motion(), {})
    _rewrite(path, {"colour": "blue"}, hands=np.zeros(3))
    assert len(load_motion(path)) == 5


@pytest.mark.parametrize(
    "content", [b"", b"short", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{}", b"x" * 100_000]
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert not is_motion_file(path)
    with pytest.raises(InputError, match="not a motion file"):
        load_motion(path)
    with pytest.raises(InputError, match="not a motion file"):
        read_provenance(path)


def test_another_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save({"w": np.zeros(3)}))
    assert not is_motion_file(path)


def test_truncated(tmp_path: Path) -> None:
    path = tmp_path / "m.motion"
    save_motion(path, _motion(), {})
    path.write_bytes(path.read_bytes()[:-9])
    assert is_motion_file(path)
    with pytest.raises(InputError, match="damaged"):
        load_motion(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    assert not is_motion_file(tmp_path / "none")
    assert not is_motion_file(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        load_motion(tmp_path / "none")
    with pytest.raises(OutputError, match="cannot write"):
        save_motion(tmp_path / "no folder" / "m", _motion(), {})
    assert list(tmp_path.iterdir()) == []


def test_times_that_do_not_fit(tmp_path: Path) -> None:
    wild = replace(_motion(2), times=(Fraction(1, 3**30), Fraction(1, 2**40)))
    with pytest.raises(OutputError, match="exactly"):
        save_motion(tmp_path / "m", wild, {})
    assert list(tmp_path.iterdir()) == []


def test_overwrites_whole(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"x" * 10**6)
    save_motion(path, _motion(1), {})
    assert len(load_motion(path)) == 1
