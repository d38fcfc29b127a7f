"""The files of a data set: the same every time, complete, and gone on with."""

from __future__ import annotations

import errno
import json
import shutil
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.synth.conftest import SMALL
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.core.errors import BackendError, InputError, OutputError, RetargetError, UsageError
from retarget_cli.perception.motion_file import load_motion
from retarget_cli.synth.parts import CLASSES, PARSING, Part
from retarget_cli.workflows import synth_run as workflow
from retarget_cli.workflows.synth import SynthOptions, synthesize

ALL = {"self", "other", "clothes", "source", "garment", "turn", "turn_other"}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def picture(path: Path) -> np.ndarray:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[..., ::-1]


class Stop:
    """Progress that interrupts as Ctrl-C does, once something has been done."""

    def __init__(self, after: int) -> None:
        self.after = after

    def stage(self, name: str, done: int, total: int | None) -> None:
        if done >= self.after and done != total:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        """Nothing."""


def test_layout(made: Path) -> None:
    told = json.loads((made / "dataset.json").read_text())
    assert told["format"] == "retarget-synth"
    assert told["format_version"] == 1
    assert told["clips"] == ["0000", "0001"]
    assert (told["seed"], told["size"], told["fps"], told["frames"], told["views"]) == (3, [96, 96], "25", 4, 3)
    assert told["parsing"] == ["background", "head", "top", "bottom", "shoes", "limbs"]
    assert told["parts"][0] == "background"
    assert len(told["parts"]) == len(Part)
    for clip in (made / "clips").iterdir():
        about = json.loads((clip / "clip.json").read_text())
        assert set(about["renditions"]) == ALL == {path.name for path in clip.iterdir() if path.is_dir()}
        assert about["camera"] in {"static", "moving"}
        for name, one in about["renditions"].items():
            assert one["flow_to"] == {"self": "source", "clothes": "garment", "turn": "source"}.get(name, name) + (
                "/000000"
            )
            count = {"source": 3, "garment": 3, "turn": 12, "turn_other": 12}.get(name, 4)
            for kind in ("frames", "mask", "parsing", "parts", "depth", "flow"):
                names = sorted(path.name for path in (clip / name / kind).iterdir())
                assert names == [f"{row:06d}.png" for row in range(count)]
                assert one["frames"] == count
            assert {"truth.motion", "joints.safetensors", "plate.png"} <= {p.name for p in (clip / name).iterdir()}
    assert "/" not in json.dumps(told["options"])


def test_pictures_have_the_types_that_the_page_says(made: Path) -> None:
    one = made / "clips/0000/self"
    expected = {
        "frames": ((96, 96, 3), np.uint8),
        "mask": ((96, 96), np.uint8),
        "parsing": ((96, 96), np.uint8),
        "parts": ((96, 96), np.uint8),
        "depth": ((96, 96), np.uint16),
        "flow": ((96, 96, 3), np.uint16),
    }
    for kind, (shape, kind_of) in expected.items():
        found = picture(one / kind / "000001.png")
        assert (found.shape, found.dtype) == (shape, kind_of), kind


def test_classes_are_made_of_parts_and_lie_in_the_mask(made: Path) -> None:
    seen = set()
    for one in made.glob("clips/*/*"):
        for path in (one / "parsing").glob("*.png") if one.is_dir() else ():
            parsing, parts = picture(path), picture(one / "parts" / path.name)
            mask, depth = picture(one / "mask" / path.name), picture(one / "depth" / path.name)
            assert (PARSING[parts] == parsing).all()
            assert (mask[parsing > 0] > 0).all()
            # Between legs that nearly touch a pixel can be full but for its very middle.
            assert (parsing[mask == 255] == 0).sum() <= 6
            assert ((depth > 0) == (parsing > 0)).all()
            seen |= set(np.unique(parsing).tolist())
    assert seen == set(range(len(CLASSES)))


def test_joints_and_landmarks_lie_on_the_person(made: Path) -> None:
    for one in (path for path in made.glob("clips/*/*") if path.is_dir()):
        joints = load_file(one / "joints.safetensors")
        motion = load_motion(one / "truth.motion")
        count = len(motion)
        assert joints["joints_2d"].shape == (count, 24, 2)
        assert joints["joints_3d"].shape == (count, 24, 3)
        assert (joints["joints_3d"][:, 0] == 0).all()
        for row in range(count):
            mask = cv2.dilate(picture(one / "mask" / f"{row:06d}.png"), np.ones((5, 5), np.uint8))
            for x, y in (*joints["joints_2d"][row], *motion.pose[row, motion.pose[row, :, 2] == 1, :2]):
                if 0 <= x < 96 and 0 <= y < 96:
                    assert mask[int(y), int(x)] > 0, (one, row, x, y)


def test_the_truth_is_consistent_with_the_camera(made: Path) -> None:
    motion = load_motion(made / "clips/0001/self/truth.motion")
    joints = load_file(made / "clips/0001/self/joints.safetensors")
    assert motion.camera is not None
    assert motion.theta is not None
    between = joints["joints_2d"] - joints["joints_2d"][:, :1]
    assert np.allclose(between, motion.camera[:, None, :1] * joints["joints_3d"][..., :2], atol=1e-3)
    hips = motion.world[:, [23, 24]].mean(1)
    assert np.allclose(hips, 0, atol=1e-6)


def test_the_same_motion_by_two_bodies(made: Path) -> None:
    for clip in made.glob("clips/*"):
        own, other, clothes = (load_motion(clip / name / "truth.motion") for name in ("self", "other", "clothes"))
        assert (own.theta == other.theta).all()
        assert (own.theta == clothes.theta).all()
        assert np.abs(own.betas - other.betas).max() > 0.3
        assert (own.betas == clothes.betas).all()
        assert (own.camera == clothes.camera).all()
        for row in range(4):
            first, second = (picture(clip / name / "parts" / f"{row:06d}.png") for name in ("self", "clothes"))
            rooms = [picture(clip / name / "plate.png") for name in ("self", "clothes")]
            assert (rooms[0] == rooms[1]).all()
            # Bare hands are the same hands, but for cloth that covers them.
            hands = [np.isin(parts, (Part.LEFT_HAND, Part.RIGHT_HAND, Part.FACE)) for parts in (first, second)]
            assert (hands[0] & hands[1]).sum() > 0.85 * max(hands[0].sum(), hands[1].sum())


def test_two_workers_write_the_same_bytes_and_go_on_after_an_interruption(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        synthesize(folder, replace(SMALL, workers=2), Stop(after=1))
    assert not list((folder / "clips").glob(".*"))
    synthesize(folder, replace(SMALL, workers=2))
    assert files(folder) == files(made)


def test_what_is_missing_is_made_again(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(made, folder)
    shutil.rmtree(folder / "clips/0001")
    (folder / "clips/.0001.part/self").mkdir(parents=True)
    kept = (folder / "clips/0000/clip.json").stat().st_mtime_ns
    result = synthesize(folder, SMALL)
    assert (result.made, result.clips) == (1, 2)
    assert files(folder) == files(made)
    assert (folder / "clips/0000/clip.json").stat().st_mtime_ns == kept
    assert synthesize(folder, SMALL).made == 0


def test_a_stop_leaves_the_finished_clip_and_nothing_else(tmp_path: Path) -> None:
    options = replace(SMALL, frames=1, extras=(), views=1)
    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "set", options, Stop(after=2))
    assert [path.name for path in (tmp_path / "set/clips").iterdir()] == ["0000"]


def test_fewer_renditions(tmp_path: Path) -> None:
    synthesize(tmp_path / "a", replace(SMALL, clips=1, frames=1, extras=("clothes",)))
    assert {p.name for p in (tmp_path / "a/clips/0000").iterdir() if p.is_dir()} == {
        *("self", "source", "clothes", "garment"),
    }


def test_a_film_to_look_at(tmp_path: Path) -> None:
    synthesize(tmp_path / "a", replace(SMALL, clips=1, frames=2, extras=(), has_video=True))
    assert (tmp_path / "a/clips/0000/self/video.mp4").stat().st_size > 500


def test_own_motions_and_pictures(made: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "red.png"), np.full((50, 80, 3), (0, 0, 255), np.uint8))
    given = made / "clips/0000/self/truth.motion"
    options = replace(SMALL, clips=6, frames=2, size=(48, 48), extras=(), motions=(given,), backgrounds=photos)
    synthesize(tmp_path / "a", options)
    about = [json.loads(path.read_text()) for path in sorted((tmp_path / "a").glob("clips/*/clip.json"))]
    assert {clip["motion"]["kind"] == "file" for clip in about} == {True, False}
    shown = [clip["drawn"]["room"]["picture"] for clip in about]
    assert set(shown) == {"", "red.png"}
    red = tmp_path / f"a/clips/{shown.index('red.png'):04d}/self/plate.png"
    assert (picture(red) == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"clips": 0}, UsageError, "--clips is 0"),
        ({"frames": 0}, UsageError, "--frames is 0"),
        ({"size": (8, 8)}, UsageError, "--size is 8"),
        ({"views": 0}, UsageError, "--views is 0"),
        ({"seed": -1}, UsageError, "--seed is -1"),
        ({"extras": ("dogs",)}, UsageError, "dogs is not known"),
        ({"kinds": ("swim",)}, UsageError, "swim is not known"),
        ({"kinds": ()}, UsageError, "names no kind"),
        ({"motions": (Path("nowhere.motion"),)}, InputError, "nowhere.motion"),
        ({"motions": (Path(__file__),)}, InputError, "not a motion file"),
        ({"backgrounds": Path("nowhere")}, InputError, "cannot read nowhere"),
        ({"backgrounds": Path(__file__).parent}, InputError, "no picture in"),
    ],
)
def test_impossible_options(change: dict[str, Any], error: type[RetargetError], words: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=words) as caught:
        synthesize(tmp_path / "set", replace(SMALL, **change))
    assert caught.value.hint
    assert not (tmp_path / "set").exists()


def test_other_options_in_the_same_folder(made: Path) -> None:
    with pytest.raises(UsageError, match="begun with seed 3, not 4"):
        synthesize(made, replace(SMALL, seed=4))
    with pytest.raises(UsageError, match="begun with options"):
        synthesize(made, replace(SMALL, camera="static"))


def test_folders_of_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        synthesize(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(OutputError, match="is a file"):
        synthesize(tmp_path / "notes.txt", SMALL)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        synthesize(tmp_path, SMALL)
    (tmp_path / "dataset.json").write_text('{"format": "other"}')
    with pytest.raises(UsageError, match="no data set"):
        synthesize(tmp_path, SMALL)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if self.parent.name == "depth":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        synthesize(tmp_path / "set", replace(SMALL, clips=1, extras=()))
    assert not list((tmp_path / "set/clips").iterdir())


def test_a_worker_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def submit(self, *_: object) -> Future[int]:
            future: Future[int] = Future()
            future.set_exception(BrokenProcessPool("gone"))
            return future

        def shutdown(self, **_: object) -> None:
            pass

    monkeypatch.setattr(workflow, "ProcessPoolExecutor", Pool)
    with pytest.raises(BackendError, match="worker process died"):
        synthesize(tmp_path / "set", replace(SMALL, workers=2))


def test_the_command(tmp_path: Path) -> None:
    words = ["synth", str(tmp_path / "a"), "--clips", "1", "--frames", "1", "--size", "48", "--with", "none"]
    done = CliRunner().invoke(app, [*words, "--views", "1", "--workers", "1", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == 2
    wrong = CliRunner().invoke(app, [*words, "--views", "1", "--seed", "9"])
    assert wrong.exit_code == 2


def test_options_are_those_of_the_page() -> None:
    assert SynthOptions() == SynthOptions(clips=20, frames=60, size=(256, 256), seed=0, views=8, camera="both")
