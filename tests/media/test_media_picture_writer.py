"""One picture as an output."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.media.writer import SYNTHETIC, can_hold_alpha, names_picture, open_writer

SIZE = (24, 32)


def picture(channels: int = 3) -> np.ndarray:
    rows, columns = np.indices(SIZE)
    layers = [rows * 10, columns * 7, rows + columns, np.where(columns > 15, 255, 60)]
    return np.stack(layers[:channels], -1).astype(np.uint8)


def write(path: Path, frames: int = 1, channels: int = 3, **options: object) -> None:
    with open_writer(path, size=SIZE, rate=Fraction(25), **options) as writer:  # type: ignore[arg-type]
        for number in range(frames):
            writer.write(picture(channels), Fraction(number, 25))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "b.JPEG"])
def test_a_picture_comes_back_and_says_that_it_is_synthetic(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    write(path)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert np.abs(np.asarray(image).astype(int) - picture()).mean() < (0.001 if path.suffix == ".png" else 4)
    assert SYNTHETIC.encode() in path.read_bytes()


def test_a_png_keeps_transparency(tmp_path: Path) -> None:
    write(tmp_path / "a.png", channels=4, alpha=True)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), picture(4))
    assert can_hold_alpha(tmp_path / "a.png")
    assert not can_hold_alpha(tmp_path / "a.jpg")


def test_a_jpeg_refuses_transparency(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="transparency"):
        write(tmp_path / "a.jpg", channels=4, alpha=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("frames", [0, 2])
def test_any_other_number_of_frames_leaves_nothing(tmp_path: Path, frames: int) -> None:
    with pytest.raises((UsageError, OutputError)):
        write(tmp_path / "a.png", frames=frames)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write(tmp_path / "a.png", channels=4, alpha=True)
    assert (tmp_path / "a.png").read_bytes() == before
    write(tmp_path / "a.png", channels=4, alpha=True, overwrite=True)
    assert (tmp_path / "a.png").read_bytes() != before


def test_names() -> None:
    assert names_picture(Path("x/a.png"))
    assert not names_picture(Path("x/frame_%04d.png"))
    assert not names_picture(Path("x/a"))
