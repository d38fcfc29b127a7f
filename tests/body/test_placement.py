"""Where the source person stands while moving."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from tests.perception.bodies import body, seen

from retarget_cli.body.placement import Framing, MotionPath, Placer, bounded, posed_landmarks, stature
from retarget_cli.core.motion import FloatArray, Motion

SIZE = (400, 300)
CAMERA = np.array([200.0, 140.0, 190.0], np.float32)
FEET = [27, 28, 29, 30, 31, 32]


def betas(first: float = 0.0) -> FloatArray:
    values = np.zeros(body().shape_count, np.float32)
    values[1] = first
    return values


def driving(camera: FloatArray, theta: FloatArray | None = None, size: tuple[int, int] = (720, 1280)) -> Motion:
    """A person with these cameras (T, 3), whole and seen throughout."""
    count = len(camera)
    theta = np.zeros((count, 24, 3), np.float32) if theta is None else theta
    pose, world = seen(torch.from_numpy(theta), torch.from_numpy(betas()), torch.from_numpy(camera))
    times = tuple(Fraction(i, 30) for i in range(count))
    present = np.ones(count, bool)
    return Motion(size, times, present, pose.numpy(), world.numpy(), "anny", theta, camera, betas())


def placer(path: MotionPath, framing: Framing, camera: FloatArray = CAMERA, shape: FloatArray | None = None) -> Placer:
    shape = betas() if shape is None else shape
    theta = np.zeros((24, 3), np.float32)
    pose, _ = seen(torch.zeros(1, 24, 3), torch.from_numpy(shape), torch.from_numpy(camera)[None])
    return Placer(body(), shape, pose[0].numpy(), theta, camera, SIZE, path, framing)


def straight(start: list[float], step: list[float], count: int = 6) -> FloatArray:
    return (np.array(start) + np.arange(count)[:, None] * np.array(step)).astype(np.float32)


def shown(motion: Motion) -> FloatArray:
    """(T, 33, 2): where the landmarks of the placed person are, in the canvas."""
    assert motion.theta is not None
    assert motion.camera is not None
    shape = body().shaped(torch.from_numpy(motion.betas))
    world = posed_landmarks(body(), shape, torch.from_numpy(motion.theta)).numpy()
    return world[..., :2] * motion.camera[:, None, :1] + motion.camera[:, None, 1:]


def top_of_head(motion: Motion) -> FloatArray:
    """(T,): y of the highest point of somebody who stands upright."""
    assert motion.camera is not None
    shape = body().shaped(torch.from_numpy(motion.betas))
    return motion.camera[:, 0] * float(shape.vertices[:, 1].min()) + motion.camera[:, 2]


@pytest.mark.parametrize("framing", list(Framing))
def test_relative_starts_where_the_source_stands(framing: Framing) -> None:
    moved = placer(MotionPath.RELATIVE, framing).place(driving(straight([330, 900, 300], [2, 9, 1])))
    assert moved.camera is not None
    assert np.abs(moved.camera[0] - CAMERA).max() < 0.01
    assert moved.size == SIZE


def test_theta_and_times_stay_and_the_shape_is_the_sources() -> None:
    theta = np.random.default_rng(0).normal(0, 0.2, (6, 24, 3)).astype(np.float32)
    motion = driving(straight([330, 900, 300], [0, 5, 0]), theta)
    moved = placer(MotionPath.RELATIVE, Framing.FIT, shape=betas(1.5)).place(motion)
    assert np.array_equal(moved.theta, theta)
    assert moved.times == motion.times
    assert moved.betas is not None
    assert moved.betas[1] == 1.5


@pytest.mark.parametrize("first", [-1.5, 0.0, 1.5])
def test_exact_path_is_scaled_by_the_bodies_heights(first: float) -> None:
    """One body height to the right in the clip is one body height to the right in the result."""
    place = placer(MotionPath.RELATIVE, Framing.EXACT, shape=betas(first))
    height = stature(body().shaped(torch.from_numpy(betas())))
    moved = place.place(driving(straight([330, 600, 300], [0, 330 * height / 10, 0], 11)))
    assert moved.camera is not None
    walked = moved.camera[-1, 1] - moved.camera[0, 1]
    assert walked == pytest.approx(200 * place.height, rel=1e-3)


def test_size_on_screen_follows_the_clip() -> None:
    moved = placer(MotionPath.RELATIVE, Framing.EXACT).place(driving(np.float32([[300, 600, 300], [450, 600, 300]])))
    assert moved.camera is not None
    assert moved.camera[:, 0].tolist() == pytest.approx([200, 300], rel=1e-4)


def test_exact_lets_the_person_walk_out() -> None:
    moved = placer(MotionPath.RELATIVE, Framing.EXACT).place(driving(straight([330, 300, 300], [0, 200, 0])))
    assert shown(moved)[-1, 23, 0] > SIZE[1]


EXTREMES = {
    "far right": straight([330, 300, 300], [0, 500, 0]),
    "far left": straight([330, 300, 300], [0, -500, 0]),
    "up": straight([330, 300, 300], [0, 0, -300]),
    "down": straight([330, 300, 300], [0, 0, 300]),
    "towards the camera": straight([200, 300, 300], [400, 0, 0]),
    "away": straight([600, 300, 300], [-110, 0, 0]),
    "everything at once": straight([330, 300, 300], [200, -700, 400]),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("path", list(MotionPath))
def test_fit_keeps_hips_and_head_inside(name: str, path: MotionPath) -> None:
    moved = placer(path, Framing.FIT).place(driving(EXTREMES[name]))
    points = shown(moved)
    for landmark in (0, 23, 24):
        assert (points[:, landmark] >= 0).all(), landmark
        assert (points[:, landmark] <= [SIZE[1], SIZE[0]]).all(), landmark
    assert (top_of_head(moved) > -0.1 * SIZE[0]).all()
    assert (points[:, FEET, 1].max(1) < 1.03 * SIZE[0]).all()
    assert (points[:, FEET, 1].max(1) - points[:, 0, 1] > 0.15 * SIZE[0]).all()  # still to be seen


def test_fit_leaves_a_path_inside_as_it_is() -> None:
    small = np.array([100.0, 150.0, 260.0], np.float32)
    motion = driving(straight([330, 600, 300], [0, 8, 0]))
    fit = placer(MotionPath.RELATIVE, Framing.FIT, small).place(motion)
    exact = placer(MotionPath.RELATIVE, Framing.EXACT, small).place(motion)
    assert np.abs(fit.camera - exact.camera).max() < 0.5  # type: ignore[operator]


def test_fit_never_turns_a_path_around() -> None:
    moved = placer(MotionPath.RELATIVE, Framing.FIT).place(driving(straight([330, 300, 300], [0, 40, 0], 40)))
    assert moved.camera is not None
    assert (np.diff(moved.camera[:, 1]) >= 0).all()


@pytest.mark.parametrize("name", EXTREMES)
def test_follow_keeps_the_person_in_the_sources_place(name: str) -> None:
    moved = placer(MotionPath.RELATIVE, Framing.FOLLOW).place(driving(EXTREMES[name]))
    assert moved.camera is not None
    assert np.abs(moved.camera - CAMERA).max() < 0.01
    hips = shown(moved)[:, [23, 24]].mean(1)
    assert np.abs(hips - hips[0]).max() < 1


def test_follow_still_bends_the_knees() -> None:
    """Who squats goes down: feet stay on the ground, hips sink."""
    theta = np.zeros((2, 24, 3), np.float32)
    theta[1, [1, 2], 0], theta[1, [4, 5], 0] = -1.2, 1.8
    upright = driving(np.float32([[300, 600, 300]] * 2), theta)
    assert upright.theta is not None
    floor = upright.pose[:, FEET, 1].max(1)
    camera = np.float32([[300, 600, 300], [300, 600, 300 + floor[0] - floor[1]]])
    motion = driving(camera, theta)
    moved = placer(MotionPath.RELATIVE, Framing.FIT).place(motion)
    points = shown(moved)
    feet = points[:, FEET, 1].max(1)
    assert abs(feet[1] - feet[0]) < 3
    assert points[1, 23, 1] > points[0, 23, 1] + 20


def test_absolute_stands_where_the_driving_person_does() -> None:
    """The driving frame is laid whole and centred into the canvas: 1280x720 into 300x400 by 300 / 1280."""
    motion = driving(straight([330, 500, 300], [0, 60, 0]))
    moved = placer(MotionPath.ABSOLUTE, Framing.EXACT).place(motion)
    ratio = 300 / 1280
    wanted = motion.pose[:, [23, 24], :2].mean(1) * ratio + [0, (400 - 720 * ratio) / 2]
    assert np.abs(shown(moved)[:, [23, 24]].mean(1) - wanted).max() < 0.5


def test_absolute_makes_the_source_as_tall_as_the_driving_person() -> None:
    motion = driving(straight([330, 500, 300], [0, 60, 0]))
    place = placer(MotionPath.ABSOLUTE, Framing.EXACT, shape=betas(1.5))
    moved = place.place(motion)
    assert moved.camera is not None
    driver = stature(body().shaped(torch.from_numpy(betas())))
    assert moved.camera[0, 0] * place.height == pytest.approx(330 * driver * 300 / 1280, rel=1e-3)


def test_a_half_body_does_not_rise_or_shrink() -> None:
    """A photo that ends at the hips: whatever the path, its lower edge must not come into the picture."""
    near = np.array([420.0, 150.0, 340.0], np.float32)
    place = placer(MotionPath.RELATIVE, Framing.FIT, near)
    place.home = replace(place.home, feet=torch.zeros(1))
    assert float(place.home.floor[0]) > SIZE[0]
    for path in (straight([330, 600, 300], [0, 0, -60]), straight([330, 600, 300], [-40, 0, 0])):
        moved = place.place(driving(path))
        assert moved.camera is not None
        assert (moved.camera[:, 0] >= 419.9).all()
        assert (shown(moved)[:, 23, 1] >= shown(moved)[0, 23, 1] - 0.5).all()
        place._reference = None


def test_the_reference_is_the_first_frame_that_shows_somebody() -> None:
    motion = driving(np.float32([[1, 0, 0], [1, 0, 0], [300, 600, 300], [300, 660, 300]]))
    motion.present[:2] = False
    place = placer(MotionPath.RELATIVE, Framing.EXACT)
    moved = place.place(motion)
    assert moved.camera is not None
    assert np.abs(moved.camera[2] - CAMERA).max() < 0.01
    assert moved.camera[3, 1] == pytest.approx(CAMERA[1] + 60 * 200 / 300, abs=0.1)


def test_while_nobody_has_been_seen_the_source_stands_still() -> None:
    motion = driving(np.float32([[1, 0, 0]] * 3))
    motion.present[:] = False
    moved = placer(MotionPath.RELATIVE, Framing.EXACT).place(motion)
    assert np.abs(moved.camera - CAMERA).max() < 2  # type: ignore[operator]


def test_windows_give_what_the_whole_gives() -> None:
    motion = driving(straight([330, 300, 300], [9, 60, 5], 12))
    whole = placer(MotionPath.RELATIVE, Framing.FIT).place(motion)
    place = placer(MotionPath.RELATIVE, Framing.FIT)
    parts = [place.place(motion.rows(at, at + 5)).camera for at in (0, 5, 10)]
    assert np.allclose(np.concatenate(parts), whole.camera, atol=1e-3)  # type: ignore[arg-type]


def test_another_frame_can_be_the_one_that_stands_in_the_sources_place() -> None:
    motion = driving(straight([330, 600, 300], [0, 30, 0]))
    place = placer(MotionPath.RELATIVE, Framing.EXACT)
    place.refer_to(motion, 4)
    moved = place.place(motion)
    assert moved.camera is not None
    assert np.abs(moved.camera[4] - CAMERA).max() < 0.01


def test_bounded_is_the_identity_near_home_and_never_leaves() -> None:
    values = torch.linspace(-1000, 1000, 4001)
    bent = bounded(values, 10.0, 0.0, 50.0)
    assert (bent >= 0).all()
    assert (bent <= 50).all()
    assert (bent.diff() >= 0).all()
    calm = (values >= 5) & (values <= 30)
    assert torch.allclose(bent[calm], values[calm])
