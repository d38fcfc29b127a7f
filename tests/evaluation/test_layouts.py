"""Every layout in which people have their data sets, as a tiny fake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.evaluation.datasets import LAYOUTS, open_dataset
from retarget_cli.evaluation.recordings import Dataset, Masks, Shot, Stream
from retarget_cli.media.images import write_png


def film(path: Path) -> Path:
    """A file with a clip's name; layouts never open clips."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not looked into")
    return path


def pictures(folder: Path, count: int = 3, ending: str = "png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:07d}.{ending}").write_bytes(b"")
    return folder


def names(dataset: Dataset) -> list[str]:
    return [recording.name for recording in dataset.recordings]


def iper(root: Path) -> Path:
    for name in ("001_1_1", "001_1_2", "007_3_2"):
        film(root / "iPER_256_video_release" / f"{name}.mp4")
    (root / "train.txt").write_text("001/1/1\n", "utf-8")
    (root / "val.txt").write_text("001/1/2\n\n007/3/2\n", "utf-8")
    return root


def test_iper_films(tmp_path: Path) -> None:
    found = open_dataset(iper(tmp_path))
    assert (found.layout, found.split) == ("iper", "test")
    assert names(found) == ["001_1_2", "007_3_2"]
    assert [recording.person for recording in found.recordings] == ["001", "007"]
    assert found.recordings[0].stream == Stream(tmp_path / "iPER_256_video_release" / "001_1_2.mp4")
    assert names(open_dataset(tmp_path, split="train")) == ["001_1_1"]


def test_iper_frames(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("011/1/2\n", "utf-8")
    frames = pictures(tmp_path / "images_HD" / "011" / "1" / "2", ending="jpg")
    assert open_dataset(tmp_path).recordings[0].stream.path == frames


def test_iper_protocol_chooses_views_parts_and_whom_to_imitate(tmp_path: Path) -> None:
    iper(tmp_path)
    chosen = {
        "001/1/2": {
            "source": [f"{number:03d}.jpg" for number in (0, 35, 91, 120, 155, 195, 219, 251)],
            "self_imitation": {"target": "001/1/2", "range": [0, 300]},
            "cross_imitation": {"target": "007/3/2", "range": [180, 255]},
        }
    }
    (tmp_path / "iPER_protocol.json").write_text(json.dumps(chosen), "utf-8")
    one, other = open_dataset(tmp_path).recordings
    clips = tmp_path / "iPER_256_video_release"
    assert one.views[4] == Shot(clips / "001_1_2.mp4", 155)
    assert one.stream == Stream(clips / "001_1_2.mp4", 0, 300)
    assert one.driving == Stream(clips / "007_3_2.mp4", 180, 75)
    assert other.views == ()


def test_a_damaged_iper_protocol_is_named(tmp_path: Path) -> None:
    iper(tmp_path)
    (tmp_path / "iPER_protocol.json").write_text('{"001/1/2": {"cross_imitation": {}}}', "utf-8")
    with pytest.raises(InputError, match="001/1/2"):
        open_dataset(tmp_path)


def test_a_clip_that_iper_lists_but_lacks_is_named(tmp_path: Path) -> None:
    iper(tmp_path)
    (tmp_path / "val.txt").write_text("009/1/1\n", "utf-8")
    with pytest.raises(InputError, match="009/1/1") as caught:
        open_dataset(tmp_path)
    assert "009_1_1.mp4" in caught.value.hint


def test_solodance(tmp_path: Path) -> None:
    for half, name in (("train", "video001"), ("train", "video002")):
        pictures(tmp_path / f"{half}_img" / name)
        pictures(tmp_path / f"{half}_parsing" / name)
    pictures(tmp_path / "test_img" / "source" / "video100" / "simg")
    pictures(tmp_path / "test_parsing" / "source" / "video100" / "sparsing")
    train = open_dataset(tmp_path, split="train")
    assert (train.layout, names(train)) == ("solodance", ["video001", "video002"])
    assert train.recordings[0].masks == Masks(tmp_path / "train_parsing" / "video001", least=1)
    test = open_dataset(tmp_path)
    assert names(test) == ["source_video100_simg"]
    assert test.recordings[0].person == "video100"
    assert test.recordings[0].masks == Masks(tmp_path / "test_parsing" / "source" / "video100" / "sparsing", least=1)


def test_fashion(tmp_path: Path) -> None:
    root = tmp_path / "fashion-video"
    for name in ("91+bCFG1jOS.mp4", "A1F1j+kNaDS.mp4"):
        film(root / "test" / name)
    found = open_dataset(root)
    assert (found.layout, names(found)) == ("fashion", ["91+bCFG1jOS", "A1F1j+kNaDS"])


def test_taichi_in_folders_named_like_films(tmp_path: Path) -> None:
    for name in ("aDyyTMUBoLE#000164#000351.mp4", "aDyyTMUBoLE#000400#000500.mp4", "bxxx#1#2.mp4"):
        pictures(tmp_path / "test" / name)
    found = open_dataset(tmp_path)
    assert found.layout == "taichi"
    assert [recording.person for recording in found.recordings] == ["aDyyTMUBoLE", "aDyyTMUBoLE", "bxxx"]
    assert names(found)[0] == "aDyyTMUBoLE#000164#000351"


def test_voxceleb(tmp_path: Path) -> None:
    film(tmp_path / "train" / "id10001#7w0IBEWc9Qw#000993#001143.mp4")
    film(tmp_path / "test" / "id10280#NXjT3732Ekg#001093#001192.mp4")
    found = open_dataset(tmp_path)
    assert (found.layout, found.recordings[0].person) == ("voxceleb", "id10280")


def test_mgif(tmp_path: Path) -> None:
    film(tmp_path / "test" / "00011.gif")
    assert open_dataset(tmp_path).layout == "mgif"


def test_plain_folder_clip_and_frames(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    film(tmp_path / "a.webm")
    pictures(tmp_path / "b")
    (tmp_path / "notes.txt").write_text("x", "utf-8")
    film(tmp_path / ".hidden.mp4")
    found = open_dataset(tmp_path)
    assert (found.layout, names(found)) == ("plain", ["a.mp4", "a.webm", "b"])
    assert names(open_dataset(tmp_path / "a.mp4")) == ["a"]
    assert names(open_dataset(tmp_path / "b")) == ["b"]


def synthetic(root: Path, *clips: str) -> Path:
    for clip in clips:
        for rendition in ("self", "other", "source"):
            pictures(root / "clips" / clip / rendition / "frames")
        (root / "clips" / clip / "clip.json").write_text("{}", "utf-8")
    (root / "dataset.json").write_text('{"format": "retarget-synth", "format_version": 1}', "utf-8")
    return root


def test_synthetic_knows_finished_clips_only(tmp_path: Path) -> None:
    synthetic(tmp_path, "0000", "0001")
    (tmp_path / "clips" / "0001" / "clip.json").unlink()
    found = open_dataset(tmp_path)
    assert found.layout == "synth"
    assert [turnout.name for turnout in found.turnouts] == ["0000"]
    assert sorted(found.turnouts[0].folders) == ["other", "self", "source"]
    assert found.recordings[0].masks == Masks(tmp_path / "clips" / "0000" / "self" / "mask")


@pytest.mark.parametrize(
    ("text", "said"),
    [("{}", "not a data set"), ("[1", "dataset.json"), ('{"format": "retarget-synth"}', "no finished clip")],
)
def test_synthetic_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "dataset.json").write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        open_dataset(tmp_path)


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        open_dataset(tmp_path / "absent")
    with pytest.raises(InputError, match="no clips"):
        open_dataset(tmp_path)
    with pytest.raises(UsageError, match="layout"):
        open_dataset(tmp_path, layout="coco")
    with pytest.raises(UsageError, match="split"):
        open_dataset(tmp_path, split="val")
    write_png(tmp_path / "only.png", np.zeros((4, 4, 3), np.uint8))
    assert open_dataset(tmp_path).layout == "plain"  # a folder of frames
    assert set(LAYOUTS) >= {"iper", "solodance", "fashion", "taichi", "voxceleb", "mgif", "synth", "plain"}
