"""A clip's motion, kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from tests.workflows.conftest import COUNT, Scene
from tests.workflows.scenes import NTSC

from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.perception.motion_file import load_motion, read_provenance
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.extract import extract_motion


def test_times_people_and_where_it_comes_from(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "dance.motion"
    result = extract_motion(scene.clip, path, cache=scene.cache)
    assert (result.path, result.frames, result.present, result.rate) == (path, COUNT, COUNT, NTSC)
    assert result.seconds > 0
    motion = load_motion(path)
    assert motion.times == tuple(n / NTSC for n in range(COUNT))
    assert motion.body == "anny"
    told = read_provenance(path)
    assert told["driving"] == "dance.mp4"
    assert told["person"] == "largest"
    assert told["made_by"].startswith("retarget")
    assert set(told) == {"driving", "person", "made_by"}


def test_an_excerpt_is_told_of(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "part.motion"
    extract_motion(scene.clip, path, excerpt=Excerpt(Fraction(1, 5), None, 4), cache=scene.cache)
    motion = load_motion(path)
    assert motion.times == tuple(n / NTSC for n in range(6, 10))
    assert read_provenance(path)["start"] == "1/5"
    assert read_provenance(path)["max_frames"] == "4"


def test_what_can_be_known_beforehand_is_said_at_once(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "old.motion").write_bytes(b"kept")
    for output, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "old.motion", "exists"),
        (tmp_path / "no" / "new.motion", "no such folder"),
    ):
        with pytest.raises(OutputError, match=words):
            extract_motion(scene.clip, output)
    with pytest.raises(InputError, match="no such file"):
        extract_motion(tmp_path / "no.mp4", tmp_path / "new.motion")
    assert (tmp_path / "old.motion").read_bytes() == b"kept"
    extract_motion(scene.clip, tmp_path / "old.motion", may_overwrite=True, cache=scene.cache)
    assert load_motion(tmp_path / "old.motion").body == "anny"
