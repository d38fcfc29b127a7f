"""The background without the person, on pictures made here."""

from __future__ import annotations

import numpy as np
import pytest

from retarget_cli.perception.plate import HALO, empty_plate, grown, median_plate

SIZE = (96, 128)
PERSON = (255, 0, 255)


def _mask(height: int = SIZE[0], width: int = SIZE[1]) -> np.ndarray:
    mask = np.zeros((height, width), np.float32)
    mask[height // 4 : height * 3 // 4, width * 3 // 8 : width * 5 // 8] = 1
    return mask


def _with_person(background: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None] > 0, np.array(PERSON), background).astype(np.uint8)


def _error(plate: np.ndarray, background: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.abs(plate.astype(float) - background)[mask > 0]


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(np.broadcast_to(values, SIZE)[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_stay_stripes(axis: int) -> None:
    place = np.mgrid[: SIZE[0], : SIZE[1]][axis]
    background = _grey(np.where(place // 6 % 2 == 0, 60, 200))
    plate = empty_plate(_with_person(background, _mask()), _mask())
    wrong = _error(plate, background, _mask()) > 30
    assert wrong.mean() < 0.02


def test_gradient_stays_smooth() -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    background = _grey(80 + 0.6 * x + 0.4 * y)
    plate = empty_plate(_with_person(background, _mask()), _mask())
    assert _error(plate, background, _mask()).max() < 6
    assert np.abs(np.diff(plate.astype(int), axis=1)).max() <= 3


def test_edge_between_wall_and_floor_goes_on_sharp() -> None:
    background = _grey(np.where(np.arange(SIZE[0])[:, None] < 50, 190, 90))
    plate = empty_plate(_with_person(background, _mask()), _mask())
    assert (_error(plate, background, _mask()) > 20).mean() < 0.02


def test_grain_goes_on() -> None:
    noise = np.random.default_rng(3).normal(128, 20, SIZE)
    background = _grey(noise.clip(0, 255))
    plate = empty_plate(_with_person(background, _mask()), _mask())
    inside = plate[..., 0][_mask() > 0].astype(float)
    assert abs(inside.mean() - 128) < 8
    assert inside.std() > 10


def test_only_the_grown_hole_changes_and_always_in_the_same_way() -> None:
    background = _grey(np.random.default_rng(1).integers(90, 160, SIZE))
    image = _with_person(background, _mask())
    before = image.copy()
    first, second = empty_plate(image, _mask()), empty_plate(image, _mask())
    outside = ~grown(_mask() > 0.05, HALO)
    assert (first == second).all()
    assert (first[outside] == image[outside]).all()
    assert (image == before).all()


def test_hair_that_the_mask_missed_goes_too() -> None:
    background = np.full((*SIZE, 3), (120, 170, 220), np.uint8)
    image = _with_person(background, _mask())
    image[20:26, 60:63] = 10
    plate = empty_plate(image, _mask())
    assert np.abs(plate.astype(int) - background).max() < 12


@pytest.mark.parametrize("size", [(33, 59), (720, 7), (7, 720), (1, 1), (2, 3), (8, 8), (9, 300), (61, 40)])
def test_tiny_and_narrow_pictures(size: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 255, (*size, 3)).astype(np.uint8)
    for mask in (_mask(*size), np.zeros(size, np.float32), np.ones(size, np.float32)):
        plate = empty_plate(image, mask)
        assert plate.shape == image.shape
        assert plate.dtype == np.uint8


def test_no_person_changes_nothing() -> None:
    image = np.random.default_rng(2).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    plate = empty_plate(image, np.zeros(SIZE, np.float32))
    assert (plate == image).all()
    assert plate is not image


def test_hole_that_leaves_next_to_nothing() -> None:
    image = np.full((*SIZE, 3), 100, np.uint8)
    mask = np.ones(SIZE, np.float32)
    mask[:4, :4] = 0
    image[mask > 0] = PERSON
    assert np.abs(empty_plate(image, mask)[mask == 0].astype(int) - 100).max() <= 3
    assert (empty_plate(image, np.ones(SIZE, np.float32)) == empty_plate(image, np.ones(SIZE))[0, 0]).all()


def test_median_plate_shows_what_some_frame_saw_and_fills_the_rest() -> None:
    background = _grey(np.where(np.arange(SIZE[1])[None] // 6 % 2 == 0, 60, 200))
    masks = [np.zeros(SIZE, np.float32) for _ in range(5)]
    for number, mask in enumerate(masks):
        mask[30:70, 40 + 4 * number : 80 + 4 * number] = 1
    plate = median_plate([_with_person(background, mask) for mask in masks], masks)
    never = np.all(masks, axis=0)
    seen = ~grown(never, 4 * HALO)
    assert (plate[seen] == background[seen]).all()
    assert (_error(plate, background, never.astype(float)) > 30).mean() < 0.05
