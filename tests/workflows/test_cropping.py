"""Crops: what is written, boxes about things, what is found in pictures and clips, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch
from tests.workflows.shifting_method import spot
from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.core.errors import BackendError, InputError, UsageError
from retarget_cli.core.footage import Footage
from retarget_cli.core.reading import read_crop
from retarget_cli.core.subject import Image
from retarget_cli.workflows.cropping import Box, Cut, about, check_inside, parse_crop, seam, spanned
from retarget_cli.workflows.pasting import Pasted
from retarget_cli.workflows.salience import moving_box, salient_box


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("none", "none"),
        (" Auto ", "auto"),
        ("10,20,300x200", (10, 20, 300, 200)),
        ("0, 0, 16X16", (0, 0, 16, 16)),
    ],
)
def test_crops_are_read(text: str, value: object) -> None:
    assert read_crop(text) == value
    assert parse_crop("--crop", text) == (value if isinstance(value, str) else Box(*value))  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "face", "1,2,30,40", "-1,2,30x40", "1,2,15x40", "1.5,2,30x40", "9" * 900])
def test_what_is_no_crop_is_said_with_the_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--driving-crop ") as caught:
        parse_crop("--driving-crop", text)
    assert "\n" not in caught.value.line
    assert len(caught.value.line) < 300


def test_a_box_must_lie_inside() -> None:
    box = Box(10, 0, 30, 20)
    assert check_inside(box, (20, 40), "--crop, me.png") is box
    for size in ((19, 40), (20, 39)):
        with pytest.raises(InputError, match=r"^--crop, me.png: 10,0,30x20 reaches beyond"):
            check_inside(box, size, "--crop, me.png")


def test_a_box_in_a_picture_of_another_size() -> None:
    box = Box(10, 20, 30, 40)
    assert box.scaled((100, 200), (200, 400)) == Box(20, 40, 60, 80)
    assert box.scaled((100, 200), (100, 200)) == box
    assert box.scaled((100, 200), (1, 1)) == Box(0, 0, 1, 1)  # never nothing
    image = np.arange(100 * 200, dtype=np.uint8).reshape(100, 200, 1)
    assert np.array_equal(box.of(image), image[20:60, 10:40])


@pytest.mark.parametrize("aspect", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("thing", [Box(50, 40, 20, 10), Box(0, 0, 10, 30), Box(180, 90, 20, 10)])
def test_a_box_about_a_thing_has_room_the_aspect_and_lies_inside(thing: Box, aspect: float) -> None:
    box = about(thing, (100, 200), aspect)
    assert box.width / box.height == pytest.approx(aspect, rel=0.1)
    assert box.x <= thing.x
    assert box.y <= thing.y
    assert box.x + box.width >= thing.x + thing.width
    assert box.y + box.height >= thing.y + thing.height
    check_inside(box, (100, 200), "it")
    inner = box.width * box.height / (thing.width * thing.height)
    assert inner > 1.5


def test_a_box_about_a_thing_in_a_narrow_picture_is_as_large_as_it_can_be() -> None:
    assert about(Box(10, 2, 60, 16), (20, 100), 1.0).height == 20
    assert about(Box(10, 2, 60, 16), (20, 100), 1.0).width >= 60


def test_the_part_of_a_shrunk_frame() -> None:
    cut = Cut(Box(100, 50, 200, 100), (400, 800))
    frame = spot((200, 400), 0.25, 0.25)
    assert cut.of(frame).shape == (50, 100, 3)
    assert np.array_equal(cut.of(frame), frame[25:75, 50:150])
    assert cut.long_side(200) == 800
    assert cut.long_side(100) == 400


def test_the_seam_is_soft_inside_the_picture_and_hard_at_its_border() -> None:
    level = seam(Box(0, 10, 48, 24), (40, 60))
    assert level.shape == (24, 48)
    assert level[12, 0] == 1  # the picture's own border
    assert 0 < level[12, -1] < 0.2
    assert 0 < level[0, 10] < 0.2
    assert level[12, 20] == 1
    assert (np.diff(level[12, -5:]) <= 0).all()
    assert (seam(Box(0, 0, 60, 40), (40, 60)) == 1).all()


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (0.3, 0.4), (0.7, 0.6)])
@pytest.mark.parametrize("size", [(96, 160), (600, 400), (40, 40)])
def test_what_stands_out_is_found(x: float, y: float, size: tuple[int, int]) -> None:
    found = salient_box(spot(size, x, y))
    assert found is not None
    side = 0.25 * min(size)
    assert found.width == pytest.approx(side, abs=4 * max(size) / 128 + 2)
    assert found.x + found.width / 2 == pytest.approx(x * size[1], abs=2 * max(size) / 128 + 2)
    assert found.y + found.height / 2 == pytest.approx(y * size[0], abs=2 * max(size) / 128 + 2)


def noise(size: tuple[int, int], most: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, most, (*size, 3)).astype(np.uint8)


def test_a_thing_that_stands_on_the_lower_edge_is_found_in_a_ground_of_many_colours() -> None:
    image = cv2.GaussianBlur(noise((100, 100), 255), (0, 0), 6)
    image[40:, 35:65] = (250, 20, 20)
    found = salient_box(image)
    assert found is not None
    assert abs(found.x - 35) <= 4
    assert abs(found.y - 40) <= 4
    assert found.y + found.height >= 98


def test_nothing_stands_out_of_a_plain_picture_or_one_of_noise_or_of_one_pixel() -> None:
    assert salient_box(np.full((50, 70, 3), 90, np.uint8)) is None
    assert salient_box(np.full((1, 1, 3), 90, np.uint8)) is None
    assert salient_box(100 + noise((80, 80), 6)) is None


def test_what_moves_is_found_over_the_whole_clip_and_a_still_thing_is_not() -> None:
    def frames() -> Iterator[Image]:
        for number in range(150):  # more than are kept
            image = spot((100, 200), 0.6 + 0.2 * np.sin(number / 12), 0.5, 0.2)
            image[10:30, 10:40] = (200, 40, 40)
            yield image + noise((100, 200), 4, number)

    found = moving_box(frames())
    assert found is not None
    assert found.x == pytest.approx(0.4 * 200 - 10, abs=6)
    assert found.x + found.width == pytest.approx(0.8 * 200 + 10, abs=6)
    assert found.y == pytest.approx(40, abs=4)
    assert found.height == pytest.approx(20, abs=8)


def test_of_a_face_of_which_the_mouth_moves_the_face_is_found() -> None:
    def frames() -> Iterator[Image]:
        for number in range(20):
            image = spot((120, 120), 0.5, 0.5, 0.5)
            image[74 : 76 + number % 8, 50:70] = (200, 20, 20)
            yield image

    found = moving_box(frames())
    assert found is not None
    assert found.width == pytest.approx(60, abs=5)
    assert found.height == pytest.approx(60, abs=5)


def test_where_nothing_moves_or_all_does_there_is_no_box() -> None:
    still = spot((60, 60), 0.5, 0.5)
    assert moving_box([still] * 5) is None
    assert moving_box([still]) is None
    assert moving_box([]) is None
    assert moving_box([np.full((60, 60, 3), 40 * number, np.uint8) for number in range(6)]) is None


class Painter(Performer):
    """Gives frames of one colour, half transparent where told so."""

    def __init__(self, size: tuple[int, int], alpha: float = 1.0) -> None:
        self._frame = torch.full((4, *size), 1.0)
        self._frame[3] = alpha

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        for window in driving:
            yield self._frame.expand(len(window), *self._frame.shape)


@pytest.mark.parametrize("alpha", [1.0, 0.0])
def test_a_part_is_pasted_into_the_whole(alpha: float) -> None:
    picture = np.full((40, 60, 3), 51, np.uint8)
    box = Box(12, 8, 24, 20)
    pasted = Pasted(Painter(box.size, alpha), picture, box)
    footage = Footage((0, 1, 2), np.zeros((3, 4, 4, 3), np.uint8))  # type: ignore[arg-type]
    (made,) = pasted.perform(iter([Window(0, footage, footage)]))  # type: ignore[arg-type]
    assert made.shape == (3, 4, 40, 60)
    assert (made[:, 3] == 1).all()
    assert torch.allclose(made[:, :3, 0, :], torch.tensor(0.2))
    assert torch.allclose(made[:, :3, :, 36:], torch.tensor(0.2))
    inner = made[:, :3, 14:22, 20:28]
    assert torch.allclose(inner, torch.tensor(1.0 if alpha else 0.2))
    border = made[0, 0, 18, 10:24]
    assert (border.diff() >= 0).all()
    with pytest.raises(BackendError, match="can't tell"):
        pasted.apart(footage)


def test_the_pixels_between_two_corners() -> None:
    assert spanned(-5, 2.4, 8.6, 99, (10, 10)) == Box(0, 2, 9, 8)
    assert spanned(3, 3, 3, 3, (10, 10)) == Box(3, 3, 1, 1)
