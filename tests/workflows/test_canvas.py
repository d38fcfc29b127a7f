"""The size of the result, and the source laid into it."""

from __future__ import annotations

import numpy as np
import pytest

from retarget_cli.core.errors import UsageError
from retarget_cli.core.subject import Image
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.workflows.canvas import CanvasSize, fit_canvas, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, CanvasSize(1024, None, False)),
        ("720", CanvasSize(720, None, True)),
        (" 720 ", CanvasSize(720, None, True)),
        ("1280x720", CanvasSize(1280, (720, 1280), False)),
        ("720X1280", CanvasSize(1280, (1280, 720), False)),
        ("16", CanvasSize(16, None, True)),
    ],
)
def test_sizes_are_width_by_height(text: str | None, expected: CanvasSize) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize(
    "text", ["", "big", "-5", "15", "8193", "0", "640x", "x480", "640x480x3", "640x8", "1.5", "6 40", "9" * 5000]
)
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--size"):
        parse_size(text)


def finding_at(x0: float, y0: float, x1: float, y1: float) -> PoseFinding:
    """A person whose landmarks fill this box."""
    pose = np.zeros((33, 3), np.float32)
    pose[:, 0], pose[:, 1], pose[:, 2] = np.linspace(x0, x1, 33), np.linspace(y0, y1, 33), 0.9
    return PoseFinding(pose, np.zeros((33, 3), np.float32), None)


def picture(height: int, width: int) -> Image:
    """Red and green say where a pixel was: (H, W, 3)."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, width)[None]
    rgb[..., 1] = np.linspace(0, 255, height)[:, None]
    return rgb


class Finder:
    def __init__(self, finding: PoseFinding | None) -> None:
        self.finding, self.seen = finding, []

    def __call__(self, rgb: Image) -> PoseFinding | None:
        self.seen.append(rgb.shape)
        return self.finding


@pytest.mark.parametrize(
    ("size", "text", "expected"),
    [
        ((480, 640), None, (480, 640)),
        ((481, 641), None, (480, 640)),
        ((3000, 2000), None, (1024, 682)),
        ((40, 30), None, (40, 30)),
        ((40, 30), "400", (400, 300)),
        ((4000, 6000), "128", (86, 128)),
        ((7, 720), None, (8, 720)),
        ((1, 5000), None, (2, 1024)),
        ((33, 59), "16", (8, 16)),
    ],
)
def test_the_aspect_is_kept_and_sides_are_even(
    size: tuple[int, int], text: str | None, expected: tuple[int, int]
) -> None:
    find = Finder(finding_at(1, 1, 5, 5))
    alpha = np.ones(size, np.float32)
    image, matte, finding = fit_canvas(picture(*size), alpha, parse_size(text), find)
    assert image.shape == (*expected, 3)
    assert matte is not None
    assert matte.shape == expected
    assert matte.dtype == np.float32
    assert find.seen == [image.shape]  # found in the pixels of the canvas
    assert finding is find.finding


EXACT = ["64x64", "200x50", "50x200", "320x240", "16x16", "641x359", "1000x1000"]


@pytest.mark.parametrize("text", EXACT)
@pytest.mark.parametrize("box", [(60, 20, 100, 110), (5, 5, 155, 115), (0, 0, 20, 119), (140, 60, 159, 119)])
def test_an_exact_size_is_exact_and_holds_the_whole_person(text: str, box: tuple[float, float, float, float]) -> None:
    canvas = parse_size(text)
    alpha = np.full((120, 160), 0.5, np.float32)
    image, matte, finding = fit_canvas(picture(120, 160), alpha, canvas, Finder(finding_at(*box)))
    assert canvas.exact is not None
    assert image.shape == (*canvas.exact, 3)
    assert matte is not None
    assert matte.shape == canvas.exact
    assert finding is not None
    low, high = finding.pose[:, :2].min(0), finding.pose[:, :2].max(0)
    assert (low >= -1.5).all()
    assert (high <= np.array([canvas.exact[1], canvas.exact[0]]) + 1.5).all()


def test_landmarks_go_with_the_picture() -> None:
    """What lies under a landmark lies under it still."""
    box = (60, 20, 100, 110)
    for text in EXACT:
        image, _, finding = fit_canvas(picture(120, 160), None, parse_size(text), Finder(finding_at(*box)))
        assert finding is not None
        for index in (4, 16, 28):
            x, y = finding.pose[index, :2]
            row, column = int(np.clip(y, 0, image.shape[0] - 1)), int(np.clip(x, 0, image.shape[1] - 1))
            before = finding_at(*box).pose[index]
            red, green = image[row, column, :2].astype(float)
            slack = 255 * 160 / 120 / min(image.shape[:2]) + 4
            assert abs(red - 255 * before[0] / 160) < slack
            assert abs(green - 255 * before[1] / 120) < slack


def test_the_picture_is_not_stretched() -> None:
    round_thing = np.zeros((120, 160, 3), np.uint8)
    rows, columns = np.indices((120, 160))
    round_thing[(rows - 65) ** 2 + (columns - 80) ** 2 < 30**2] = 255
    for text in set(EXACT) - {"50x200"}:  # there a mirror image is seen beyond the picture's border
        image, _, _ = fit_canvas(round_thing, None, parse_size(text), Finder(finding_at(55, 40, 105, 90)))
        bright = image[..., 0] > 127
        tall, wide = bright.any(1).sum(), bright.any(0).sum()
        assert abs(int(tall) - int(wide)) <= max(3, 0.04 * tall)


@pytest.mark.parametrize("text", [None, "64", "64x48"])
def test_nobody_is_nobody(text: str | None) -> None:
    assert fit_canvas(picture(20, 30), None, parse_size(text), Finder(None))[2] is None


def test_one_even_person_point_is_no_division_by_zero() -> None:
    image, _, _ = fit_canvas(picture(20, 30), None, parse_size("64x48"), Finder(finding_at(9, 9, 9, 9)))
    assert image.shape == (48, 64, 3)
