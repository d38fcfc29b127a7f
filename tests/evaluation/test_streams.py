"""Frames in step: none missing, none of another size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.names import file_name
from retarget_cli.evaluation.persons import true_persons
from retarget_cli.evaluation.recordings import Masks, Stream
from retarget_cli.evaluation.scoring import Material, Measures, embed_stream, score_clip
from retarget_cli.evaluation.streams import codec_of, fitted_size, frames
from retarget_cli.media.images import write_png
from retarget_cli.metrics.base import Embedder, FrameMetric, Frames, Info, Scorer, SetMetric


def folder_of(folder: Path, shades: list[int], size: tuple[int, int] = (6, 8)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, shade in enumerate(shades):
        write_png(folder / f"{number:06d}.png", np.full((*size, 3), shade, np.uint8))
    return folder


class Brightness(FrameMetric):
    """Mean of the rendered frame less the target's, and how many frames came before in this clip."""

    infos = (Info("bright", "B", "m", True), Info("before", "N", "m", True))

    def begin(self) -> Scorer:
        return _Brightness()


class _Brightness(Scorer):
    def __init__(self) -> None:
        self.count = 0

    def score(self, frames: Frames) -> dict[str, FloatArray]:
        bright = frames.rendered.float().mean((1, 2, 3))
        if frames.target is not None:
            bright = bright - frames.target.float().mean((1, 2, 3))
        before = np.arange(self.count, self.count + len(frames), dtype=np.float32)
        before[before == 0] = np.nan
        self.count += len(frames)
        return {"bright": bright.numpy(), "before": before}


class Mean(SetMetric):
    info = Info("mean", "Mean", "m", False, is_set=True)

    def begin(self) -> Embedder:
        return _Mean()


class _Mean(Embedder):
    def embed(self, pictures: Tensor) -> Tensor:
        return pictures.float().mean((2, 3))


MEASURES = Measures((Brightness(),), (Mean(),))


def material(rendered: Path, target: Path | None, size: tuple[int, int] | None = None, **more: object) -> Material:
    truth = None if target is None else frames(Stream(target), size)
    return Material(frames(Stream(rendered)), truth, None, None, "clip", **more)  # type: ignore[arg-type]


def test_a_part_of_a_stream_counts_from_its_own_first(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [0, 10, 20, 30, 40])
    found = [(number, int(picture[0, 0, 0])) for number, picture in frames(Stream(folder, 2, 2))]
    assert found == [(0, 20), (1, 30)]


def test_frames_are_brought_to_size(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [50])
    assert next(frames(Stream(folder), (3, 4)))[1].shape == (3, 4, 3)


def test_a_missing_frame_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [1, 2, 3, 4])
    (folder / "000002.png").unlink()
    with pytest.raises(InputError, match="frame 2 is missing"):
        list(frames(Stream(folder)))


def test_even_steps_of_numbers_are_no_gap(tmp_path: Path) -> None:
    for number in (0, 5, 10):
        write_png(tmp_path / f"f{number}.png", np.zeros((4, 4, 3), np.uint8))
    assert [number for number, _ in frames(Stream(tmp_path))] == [0, 1, 2]


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [1, 2, 3, 4])
    (folder / "000001.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match="frame 1 can't be read"):
        list(frames(Stream(folder)))


def test_nothing_left_of_a_stream_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frame from 7 on"):
        list(frames(Stream(folder_of(tmp_path, [1]), 7)))


def test_values_and_features_of_a_clip(tmp_path: Path) -> None:
    count = 20  # more than one window
    rendered = folder_of(tmp_path / "r", [2 * n for n in range(count)])
    target = folder_of(tmp_path / "t", list(range(count)))
    found = score_clip(material(rendered, target), MEASURES, embeds_target=True)
    assert found.indices == tuple(range(count))
    assert found.values["bright"] == pytest.approx(range(count))
    assert found.values["before"] == (None, *range(1, count))
    assert found.features["mean"][:, 0].tolist() == [2 * n for n in range(count)]
    assert found.real["mean"][:, 2].tolist() == list(range(count))


def test_every_third_frame(tmp_path: Path) -> None:
    found = score_clip(material(folder_of(tmp_path / "r", list(range(8))), None), MEASURES, 3)
    assert found.indices == (0, 3, 6)
    assert found.values["bright"] == (0, 3, 6)
    assert not found.real


@pytest.mark.parametrize(
    ("ours", "theirs", "said"), [(3, 5, "ends too early: 3"), (5, 3, "goes on too long: 3")]
)
def test_clips_of_different_length(tmp_path: Path, ours: int, theirs: int, said: str) -> None:
    both = material(folder_of(tmp_path / "r", [0] * ours), folder_of(tmp_path / "t", [0] * theirs))
    with pytest.raises(InputError, match=said):
        score_clip(both, MEASURES)


def test_clips_of_different_size(tmp_path: Path) -> None:
    both = material(folder_of(tmp_path / "r", [0]), folder_of(tmp_path / "t", [0], (12, 16)))
    with pytest.raises(InputError, match="rendered at 8x6, but the target is 16x12"):
        score_clip(both, MEASURES)


def test_foreground_is_scored_on_black(tmp_path: Path) -> None:
    def persons() -> Iterator[np.ndarray]:  # type: ignore[type-arg]
        left = np.zeros((6, 8), bool)
        left[:, :4] = True
        yield left

    both = Material(
        frames(Stream(folder_of(tmp_path / "r", [0]))),
        frames(Stream(folder_of(tmp_path / "t", [100]))),
        persons(),
        None,
        "clip",
        is_foreground=True,
    )
    assert score_clip(both, MEASURES).values["bright"] == (-50,)


def test_a_mask_is_a_person_from_its_least_value_on(tmp_path: Path) -> None:
    picture: Image = np.zeros((6, 8, 3), np.uint8)
    picture[0, 0], picture[1, 1] = 200, 3
    write_png(tmp_path / "0.png", picture)
    stream = Stream(tmp_path)
    assert next(true_persons(Masks(tmp_path), stream, (6, 8))).sum() == 1
    assert next(true_persons(Masks(tmp_path, least=1), stream, (6, 8))).sum() == 2


def test_real_frames_alone_can_be_embedded(tmp_path: Path) -> None:
    found = embed_stream(frames(Stream(folder_of(tmp_path, [3, 4, 5, 6]))), (Mean(),), 2)
    assert torch.equal(found["mean"][:, 0], torch.tensor([3.0, 5.0]))


def test_a_box_keeps_the_aspect_and_even_sides() -> None:
    assert fitted_size((720, 1280), (256, 256)) == (144, 256)
    assert fitted_size((1080, 1080), (256, 192)) == (192, 192)
    assert fitted_size((100, 50), (256, 256)) == (256, 128)


def test_what_frames_went_through(tmp_path: Path) -> None:
    assert codec_of(folder_of(tmp_path / "a", [0])) == "PNG (lossless)"
    assert "lossy" in codec_of(tmp_path / "b.mp4")


@pytest.mark.parametrize("name", ["../up", "a/b", "-rf", ".hidden", "", "ok", "id#1#2", "ünï", "a:b*c?"])
def test_names_of_files_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / file_name(name)
    path.write_text("x", "utf-8")
    assert path.parent == tmp_path
    assert [child.name for child in tmp_path.iterdir()] == [file_name(name)]
    assert file_name(name)[0] not in ".-"
