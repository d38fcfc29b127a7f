"""Albums: what was put in comes out, and drawing from them depends on the numbers alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.training.toy_game import album_of

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.example import Example
from retarget_cli.training.album import Album, open_album
from retarget_cli.training.draw import Drawer, DrawOptions, draw_rows
from retarget_cli.training.framing import Window, draw_window

SIZE = 32


@pytest.fixture
def albums(tmp_path: Path) -> list[Album]:
    return [
        album_of(tmp_path / "one.safetensors"),
        album_of(tmp_path / "moving.safetensors", 5, (40, 64), plates=5, seed=1),
        album_of(tmp_path / "single.safetensors", 1, seed=2),
    ]


@pytest.mark.parametrize("row", [0, 3])
def test_what_was_put_in_comes_out(albums: list[Album], row: int) -> None:
    for album in albums[:2]:
        arrays = load_file(album.path)
        view = album.view(row)
        assert np.array_equal(view.image, arrays["images"][row])
        assert np.array_equal(view.mask, arrays["masks"][row] / np.float32(255))
        for part in ("pose", "world", "theta", "camera"):
            assert np.array_equal(getattr(view, part), arrays[part][row])
        assert np.array_equal(album.plate(row), arrays["plates"][row if album.plates > 1 else 0])
    subject = albums[1].subject([3, 0])
    assert np.array_equal(subject.plate, albums[1].plate(3))
    assert subject.body == "anny"
    assert subject.size == (40, 64)
    turns = np.arange(6) * np.pi / 3
    assert np.cos(albums[0].facing) == pytest.approx(np.cos(turns), abs=1e-5)
    assert np.sin(albums[0].facing) == pytest.approx(np.sin(turns), abs=1e-5)


def test_albums_that_can_not_be_used(tmp_path: Path, albums: list[Album]) -> None:
    path = albums[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match="damaged"):
        open_album(path)
    with pytest.raises(InputError, match="can't be read any more"):
        albums[0].view(0)
    path.write_bytes(whole.replace(b"retarget-album", b"retarget-other"))
    with pytest.raises(InputError, match="no album"):
        open_album(path)
    with pytest.raises(InputError, match="not there"):
        open_album(tmp_path / "absent")
    with pytest.raises(InputError, match="nothing to learn from"):
        Drawer([albums[2]], DrawOptions(), 0)


def assert_equal(one: Example, other: Example) -> None:
    views = zip((*one.subject.views, one.target), (*other.subject.views, other.target), strict=True)
    for left, right in views:
        for part in ("image", "mask", "pose", "world", "theta", "camera"):
            assert np.array_equal(getattr(left, part), getattr(right, part))
    assert np.array_equal(one.subject.plate, other.subject.plate)
    assert np.array_equal(one.plate, other.plate)


def test_drawing_depends_on_the_number_alone(albums: list[Album]) -> None:
    options = DrawOptions(SIZE, batch=3)
    forwards = [Drawer(albums, options, 5).batch(number) for number in range(6)]
    drawer = Drawer([open_album(album.path) for album in albums], options, 5)
    with ThreadPoolExecutor(3) as pool:
        backwards = list(pool.map(drawer.batch, reversed(range(6))))[::-1]
    for left, right in zip(forwards, backwards, strict=True):
        assert len({len(example.subject.views) for example in left}) == 1
        assert len({example.target.image.tobytes() for example in left}) == 3
        for one, other in zip(left, right, strict=True):
            assert_equal(one, other)
    assert {len(batch[0].subject.views) for batch in forwards} > {1}
    for changed in (Drawer(albums, options, 6), Drawer(albums, options, 5, rank=1)):
        assert any(
            not np.array_equal(one[0].target.image, other[0].target.image)
            for one, other in zip(forwards, map(changed.batch, range(6)), strict=True)
        )


def test_examples_are_what_they_say(albums: list[Album]) -> None:
    drawer = Drawer(albums, DrawOptions(SIZE, batch=8, zoom=0.0, jitter=0.0, theta_noise=0.0, camera_noise=0.0), 0)
    for example in (one for number in range(4) for one in drawer.batch(number)):
        assert example.subject.name in ("one", "moving")
        shown = [*example.subject.views, example.target]
        assert all(view.image.shape == (SIZE, SIZE, 3) and view.mask.shape == (SIZE, SIZE) for view in shown)
        assert not any(np.array_equal(view.image, example.target.image) for view in example.subject.views)
        turns = [abs(np.arctan2(np.sin(view.theta[0, 1]), np.cos(view.theta[0, 1]))) for view in example.subject.views]
        assert turns == sorted(turns)
        assert (example.plate is example.subject.plate) == (example.subject.name == "one")


def test_disturbances_are_of_the_source_alone(albums: list[Album]) -> None:
    still = DrawOptions(SIZE, theta_noise=0.0, camera_noise=0.0)
    shaken = replace(still, theta_noise=2.0, camera_noise=3.0)
    calm, rough = (Drawer(albums, options, 1).batch(2)[0] for options in (still, shaken))
    assert np.array_equal(calm.target.theta, rough.target.theta)
    assert np.array_equal(calm.target.camera, rough.target.camera)
    one, other = calm.subject.primary, rough.subject.primary
    assert np.array_equal(one.image, other.image)
    assert 0.3 < np.degrees((one.theta - other.theta).std()) / 2 < 3
    assert not np.array_equal(one.camera, other.camera)


def test_colours_change_alike(albums: list[Album]) -> None:
    """Pixels of the person have one colour in all pictures of the album, and afterwards still one."""
    example = Drawer(albums[:1], DrawOptions(48, jitter=0.5, max_sources=3), 3).batch(1)[0]
    colours = {tuple(np.median(view.image[view.mask > 0.99], 0)) for view in (*example.subject.views, example.target)}
    assert len(colours) == 1
    assert colours != {(200.0, 200.0, 200.0)}


def test_sources_are_others_than_the_target_and_from_other_sides(albums: list[Album]) -> None:
    apart = []
    for seed in range(200):
        rows, target = draw_rows(np.random.default_rng(seed), albums[0], 2)
        assert target not in rows
        assert len(set(rows)) == 2
        apart.append(abs((albums[0].facing[rows[0]] - albums[0].facing[rows[1]] + np.pi) % (2 * np.pi) - np.pi))
    assert np.mean(apart) > np.radians(115)  # 108 where none is preferred
    rows, target = draw_rows(np.random.default_rng(0), albums[0], 8)
    assert set(rows) == set(range(6)) - {target}


def test_a_long_album_is_not_everything(tmp_path: Path) -> None:
    long, short = album_of(tmp_path / "long.safetensors", 30), album_of(tmp_path / "short.safetensors", 10)
    names = [Drawer([long, short], DrawOptions(SIZE, cap=10, batch=1), 0).batch(n)[0].subject.name for n in range(100)]
    assert 30 < names.count("long") < 70


def test_a_crop_keeps_points_on_what_they_show() -> None:
    """A blob in the picture, and the camera and a landmark that stand on it."""
    height, width, at = 90, 120, (70.0, 40.0)
    y, x = np.mgrid[:height, :width] + 0.5
    blob = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 18)
    picture = np.repeat((255 * blob).astype(np.uint8)[..., None], 3, 2)
    for window in (Window(50, 10, 64, 32), Window(40, -10, 100, 150), Window(30, 0, 64, 64), Window(45, 20, 80, 40)):
        small = window.picture(picture)[..., 0].astype(float)
        mask = window.mask(blob.astype(np.float32))
        assert small.shape == mask.shape == (window.size, window.size)
        moved = window.points(np.array([[*at, 0.7]], np.float32))[0]
        camera = window.camera(np.array([20.0, *at], np.float32))
        rows, columns = np.mgrid[: window.size, : window.size] + 0.5
        for seen in (small, mask):
            middle = [(seen * grid).sum() / seen.sum() for grid in (columns, rows)]
            assert middle == pytest.approx(moved[:2], abs=0.1)
        assert camera[1:] == pytest.approx(moved[:2])
        assert camera[0] == pytest.approx(20 * window.size / window.side)
        assert moved[2] == pytest.approx(0.7)


def test_windows_hold_the_person() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shape = tuple(int(side) for side in rng.integers(60, 200, 2))
        poses = [np.ones((33, 3), np.float32) for _ in range(3)]
        middle = rng.uniform(0.4, 0.6, 2) * (shape[1], shape[0])
        for pose in poses:
            pose[:, :2] = middle + rng.uniform(-0.3, 0.3, (33, 2)) * min(shape)
        window = draw_window(rng, poses, (shape[0], shape[1]), 64, 0.5)
        assert window.side <= max(shape)
        for pose in poses:
            inside = window.points(pose)[:, :2]
            assert inside.min() >= -0.5 * window.scale
            assert inside.max() <= 64 + 0.5 * window.scale


@pytest.mark.parametrize(
    "wrong", [{"size": 30}, {"size": 8}, {"batch": 0}, {"max_sources": 0}, {"zoom": 1.0}, {"jitter": -0.1}]
)
def test_impossible_ways_to_draw(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        DrawOptions(**wrong)  # type: ignore[arg-type]
