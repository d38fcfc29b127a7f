"""Green screens: found where there are such, and the person before them cut out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.workflows.scenes import camera_for, draw, waving

from retarget_cli.perception.chroma import find_screen, keyed, without_spill

SIZE = (160, 120)
GREEN = np.array([40, 190, 70])


def cloth(seed: int, colour: np.ndarray = GREEN) -> np.ndarray:
    """(H, W, 3): evenly coloured, unevenly lit, with the camera's noise."""
    light = np.linspace(0.8, 1.1, SIZE[1])[None, :, None]
    noise = np.random.default_rng(seed).normal(0, 4, (*SIZE, 3))
    return np.clip(colour * light + noise, 0, 255).astype(np.uint8)


def film(count: int = 5, colour: np.ndarray = GREEN) -> list:  # type: ignore[type-arg]
    return [draw(SIZE, theta, camera_for(SIZE), cloth(row, colour)) for row, theta in enumerate(waving(count))]


def test_a_screen_is_found_and_the_person_cut_out() -> None:
    shots = film()
    screen = find_screen([shot.image for shot in shots])
    assert screen is not None
    for shot in shots:
        mask = keyed(shot.image, screen, shot.pose)
        assert mask.dtype == np.float32
        both, any_of = (mask > 0.5) & (shot.mask > 0.5), (mask > 0.5) | (shot.mask > 0.5)
        assert both.sum() / any_of.sum() > 0.97


@pytest.mark.parametrize("colour", [(120, 120, 120), (200, 170, 150), (60, 90, 50), (40, 60, 200)])
def test_no_other_wall_is_a_screen(colour: tuple[int, int, int]) -> None:
    assert find_screen([shot.image for shot in film(3, np.array(colour))]) is None


def test_a_lawn_among_other_things_is_none() -> None:
    """Green, but of any shade; and a screen that most frames do not show."""
    rng = np.random.default_rng(0)
    lawns = [rng.integers((0, 60, 0), (160, 255, 120), (*SIZE, 3)).astype(np.uint8) for _ in range(4)]
    assert find_screen(lawns) is None
    grey = [np.full((*SIZE, 3), 130, np.uint8)] * 3
    assert find_screen([*grey, *(cloth(row) for row in range(3))]) is None


def test_what_stands_beside_is_left_out() -> None:
    shot = film(1)[0]
    shot.image[:60, :14] = (90, 40, 30)  # a lamp at the picture's border
    screen = find_screen([cloth(0), cloth(1)])
    assert screen is not None
    mask = keyed(shot.image, screen, shot.pose)
    assert not mask[:60, :14].any()
    assert mask[shot.mask > 0.5].mean() > 0.95
    nobody = np.zeros((33, 3), np.float32)
    assert not keyed(shot.image, screen, nobody).any()


def test_green_shine_goes_from_the_outline_alone() -> None:
    picture = np.array([[[50, 200, 60], [50, 200, 60], [90, 80, 70]]], np.uint8)
    made = without_spill(picture, np.array([[1, 0.5, 0.5]], np.float32))
    assert made.tolist() == [[[50, 200, 60], [50, 60, 60], [90, 80, 70]]]
    assert picture[0, 1, 1] == 200
