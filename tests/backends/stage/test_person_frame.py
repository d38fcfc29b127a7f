"""The person's own square: where it lies on the canvas, out of it and back again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from retarget_cli.backends.stage.frame import REACH, Frame

CANVAS = (150, 100)


def noise(channels: int = 2, size: tuple[int, int] = CANVAS) -> torch.Tensor:
    return torch.rand(channels, *size, generator=torch.Generator().manual_seed(0))


def smooth(size: tuple[int, int] = CANVAS) -> torch.Tensor:
    """(1, H, W): a hill in the middle, in canvas pixels."""
    y, x = torch.meshgrid(*(torch.arange(side) + 0.5 for side in size), indexing="ij")
    return torch.exp(-((x - 50) ** 2 + (y - 75) ** 2) / 400)[None]


def test_pixel_for_pixel_nothing_changes() -> None:
    frame = Frame(50, 75, (32, 32), (64, 64))
    canvas = noise()
    square = frame.cut(canvas)
    assert torch.equal(square, canvas[:, 43:107, 18:82])
    back = frame.laid(square, CANVAS)
    assert torch.equal(back[:, 43:107, 18:82], square)
    back[:, 43:107, 18:82] = 0
    assert not back.any()


def test_the_hips_are_in_the_middle_and_reach_metres_are_half_a_side() -> None:
    camera = np.array([40, 61.5, 72.5], np.float32)
    canvas = torch.zeros(1, *CANVAS)
    canvas[0, 72, 61] = 1  # its centre is the hips
    frame = Frame.of(camera, (128, 128))
    row, column = np.unravel_index(int(frame.cut(canvas).argmax()), (128, 128))
    assert {row, column} <= {63, 64}
    assert frame.half[0] == pytest.approx(40 * REACH)
    ramp = ((torch.arange(CANVAS[1]) + 0.5 - 61.5) / frame.half[1]).expand(1, *CANVAS)
    square = frame.cut(ramp)
    inside = (2 * torch.arange(128) + 1) / 128 - 1
    shown = inside.abs() < 0.7
    assert torch.allclose(square[0, 64, shown], inside[shown], atol=1e-4)


@pytest.mark.parametrize("side", [32, 50, 64, 200])
def test_there_and_back(side: int) -> None:
    """Of what is smooth little is lost, whether the square has more or fewer pixels."""
    frame = Frame(50.3, 74.6, (47.7, 47.7), (side, side))
    back = frame.laid(frame.cut(smooth()), CANVAS)
    inner = (slice(None), slice(32, 118), slice(8, 92))
    assert float((back - smooth())[inner].abs().max()) < 0.04
    assert float(frame.laid(torch.ones(1, side, side), CANVAS)[inner].min()) == pytest.approx(1, abs=1e-5)


def test_shrinking_takes_means() -> None:
    """A chequered floor becomes grey, and no pattern appears."""
    y, x = torch.meshgrid(torch.arange(160), torch.arange(160), indexing="ij")
    floor = ((x + y) % 2).float()[None]
    square = Frame(80, 80, (80, 80), (37, 37)).cut(floor)
    assert float((square - 0.5)[:, 1:-1, 1:-1].abs().max()) < 0.1
    expected = cv2.resize(noise(1, (160, 160))[0].numpy(), (40, 40), interpolation=cv2.INTER_AREA)
    found = Frame(80, 80, (80, 80), (40, 40)).cut(noise(1, (160, 160)))[0].numpy()
    assert np.corrcoef(found[2:-2, 2:-2].ravel(), expected[2:-2, 2:-2].ravel())[0, 1] > 0.7
    laid = Frame(80, 80, (12, 12), (160, 160)).laid(floor, (160, 160))
    assert float((laid[:, 70:90, 70:90] - 0.5).abs().max()) < 0.1


def test_what_is_beyond_the_canvas_is_nothing() -> None:
    """Somebody half outside: the square is full where the canvas is, and 0 elsewhere."""
    frame = Frame(0, 0, (32, 32), (64, 64))
    square = frame.cut(torch.ones(1, *CANVAS))
    assert torch.equal(square, torch.nn.functional.pad(torch.ones(1, 32, 32), (32, 0, 32, 0)))
    laid = frame.laid(torch.ones(1, 64, 64), CANVAS)
    assert torch.equal(laid, torch.nn.functional.pad(torch.ones(1, 32, 32), (0, 68, 0, 118)))


@pytest.mark.parametrize("camera", [(300, 5000, 0), (-3, 20, 20), (1e-6, 50, 75), (4000, 50, 75), (40, 50, -900)])
def test_no_camera_is_a_fault(camera: tuple[float, float, float]) -> None:
    frame = Frame.of(np.array(camera, np.float32), (64, 64))
    laid, square = frame.laid(noise(4, (64, 64)), CANVAS), frame.cut(noise(4))
    assert laid.shape == (4, *CANVAS)
    assert square.shape == (4, 64, 64)
    for picture in (laid, square):
        assert torch.isfinite(picture).all()
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1 + 1e-6


def test_pictures_may_be_higher_than_wide() -> None:
    """Square pixels by themselves; and where more room aside is asked for, wider ones, both ways the same places."""
    camera = np.array([40, 50, 75], np.float32)
    narrow, broad = Frame.of(camera, (64, 32)), Frame.of(camera, (64, 32), 1.0)
    assert narrow.half == pytest.approx((40 * REACH, 20 * REACH))
    assert broad.half == pytest.approx((40 * REACH, 40))
    for frame in (narrow, broad):
        picture = frame.cut(smooth())
        assert picture.shape == (1, 64, 32)
        down, across = frame.half
        expected = [(CANVAS[0] / 2 - 12 - 75) / down, (50 + 10 - 50) / across]
        canvas = torch.zeros(1, *CANVAS)
        canvas[0, 62:64, 59:61] = 1
        row, column = np.unravel_index(int(frame.cut(canvas).argmax()), (64, 32))
        assert (row + 0.5) / 32 - 1 == pytest.approx(expected[0], abs=0.05)
        assert (column + 0.5) / 16 - 1 == pytest.approx(expected[1], abs=0.08)
        inner = (slice(None), slice(40, 110), slice(35, 65))
        assert float((frame.laid(picture, CANVAS) - smooth())[inner].abs().max()) < 0.1
