"""Where the camera stands: signs, identity, and that the person keeps standing on the same spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.workflows.scenes import motion_of, waving

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import posed_landmarks, stance
from retarget_cli.body.viewpoint import Orbit, centre_of, seen_from, spread, turn_about
from retarget_cli.core.motion import Motion

SIZE = (192, 128)
NOSE, LEFT_HIP, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 23, 11, 12


@pytest.fixture(scope="module")
def motion() -> Motion:
    return motion_of(waving(6), SIZE)


def shown(motion: Motion) -> np.ndarray:
    """(T, 33, 3) landmarks of the fitted body, pixels."""
    body = load_body("anny")
    assert motion.theta is not None
    assert motion.camera is not None
    assert motion.betas is not None
    shape = body.shaped(torch.from_numpy(motion.betas))
    points = posed_landmarks(body, shape, torch.from_numpy(motion.theta)).numpy()
    points = points * motion.camera[:, None, :1]
    points[..., :2] += motion.camera[:, None, 1:]
    return np.asarray(points)


def turned(motion: Motion, orbit: Orbit, row: int = 0) -> Motion:
    body = load_body("anny")
    return seen_from(motion, orbit.turns(len(motion)), centre_of(motion, row, 0, body), body)


def test_the_home_view_changes_nothing(motion: Motion) -> None:
    same = turned(motion, Orbit())
    for name in ("pose", "world", "theta", "camera"):
        assert np.allclose(getattr(same, name), getattr(motion, name), atol=1e-4), name
    assert Orbit().is_home
    assert not Orbit(azimuth=(0, 1)).is_home


def test_a_camera_on_the_left_sees_the_left_side(motion: Motion) -> None:
    """The left shoulder, on the right of the picture, comes nearer and towards the middle."""
    before, after = shown(motion)[0], shown(turned(motion, Orbit(azimuth=(40.0,))))[0]
    assert after[LEFT_SHOULDER, 2] < before[LEFT_SHOULDER, 2]
    assert after[RIGHT_SHOULDER, 2] > before[RIGHT_SHOULDER, 2]
    assert after[LEFT_SHOULDER, 0] < before[LEFT_SHOULDER, 0]
    # Who faces the camera looks past it, to the right hand of the camera's new place: the picture's left.
    assert after[NOSE, 0] < before[NOSE, 0] - 2


def test_half_a_turn_shows_the_back_mirrored(motion: Motion) -> None:
    before, after = shown(motion), shown(turned(motion, Orbit(azimuth=(180.0,))))
    middle = shown(motion)[0, [23, 24], 0].mean()
    assert np.allclose(after[..., 0] - middle, middle - before[..., 0], atol=0.3)
    assert np.allclose(after[..., 1], before[..., 1], atol=1e-2)
    assert after[0, NOSE, 2] > 0 > before[0, NOSE, 2]


def test_a_raised_camera_sees_the_head_nearer_and_the_person_shorter(motion: Motion) -> None:
    before, after = shown(motion)[0], shown(turned(motion, Orbit(elevation=(35.0,))))[0]
    assert after[NOSE, 2] - after[27, 2] < before[NOSE, 2] - before[27, 2] - 10  # nearer than the ankle
    assert np.ptp(after[:, 1]) < 0.95 * np.ptp(before[:, 1])
    top = shown(turned(motion, Orbit(elevation=(90.0,))))[0]
    assert abs(top[NOSE, 1] - top[LEFT_HIP, 1]) < 15
    low = shown(turned(motion, Orbit(elevation=(-35.0,))))[0]
    assert low[NOSE, 2] - low[27, 2] > before[NOSE, 2] - before[27, 2] + 10


def test_the_person_keeps_standing_on_the_same_spot(motion: Motion) -> None:
    """The point on the ground under the hips stays; upright people keep their hips too."""
    body = load_body("anny")
    centre = centre_of(motion, 0, 0, body)
    assert motion.theta is not None
    for azimuth in (20.0, 90.0, 200.0):
        hips = shown(turned(motion, Orbit(azimuth=(azimuth,))))[:, [23, 24], :2].mean(1)
        assert np.allclose(hips, shown(motion)[:, [23, 24], :2].mean(1), atol=4), azimuth
    for elevation in (-30.0, 45.0):
        seen = turned(motion, Orbit(elevation=(elevation,)))
        assert seen.camera is not None
        height = float(centre.y - motion.camera[0, 2])  # type: ignore[index]
        assert centre.y - seen.camera[0, 2] == pytest.approx(height * np.cos(np.radians(elevation)), abs=0.5)


def test_who_walks_to_the_right_walks_to_the_left_from_behind(motion: Motion) -> None:
    assert motion.camera is not None
    camera = motion.camera.copy()
    camera[:, 1] += np.arange(len(motion)) * 5
    camera[:, 0] *= 1.05 ** np.arange(len(motion))
    walking = replace(motion, camera=camera)
    behind = turned(walking, Orbit(azimuth=(180.0,)))
    aside = turned(walking, Orbit(azimuth=(90.0,)))
    assert behind.camera is not None
    assert aside.camera is not None
    assert (np.diff(behind.camera[:, 1]) < -1).all()
    assert (np.diff(behind.camera[:, 0]) < 0).all()  # comes nearer: goes away
    assert np.ptp(aside.camera[:, 1]) < 1
    assert np.allclose(aside.camera[:, 0], camera[0, 0])


def test_landmarks_go_where_the_body_goes(motion: Motion) -> None:
    seen = turned(motion, Orbit(azimuth=(70.0,), elevation=(20.0,)))
    assert np.allclose(seen.pose[..., :2], shown(seen)[..., :2], atol=0.5)
    assert np.array_equal(seen.pose[..., 2], motion.pose[..., 2])
    assert np.allclose(np.linalg.norm(seen.world, axis=-1), np.linalg.norm(motion.world, axis=-1), atol=1e-4)


def test_turns_are_rotations_azimuth_first() -> None:
    turns = turn_about(np.array([30, -400], np.float32), np.array([50, 20], np.float32))
    assert torch.allclose(turns @ turns.transpose(1, 2), torch.eye(3).expand(2, 3, 3), atol=1e-5)
    # The vertical keeps its place on the screen's middle line whatever the azimuth.
    up = turns @ torch.tensor([0.0, -1.0, 0.0])
    assert up[:, 0].abs().max() < 1e-6


def test_angles_are_spread_over_the_frames() -> None:
    assert spread((10.0,), 3).tolist() == [10, 10, 10]
    assert spread((0.0, 90.0), 4).tolist() == [0, 30, 60, 90]
    assert spread((0.0, 10.0, 50.0), 5).tolist() == [0, 5, 10, 30, 50]
    assert spread((0.0, 90.0), 1).tolist() == [0]
    assert Orbit((0.0, 1.0, 2.0), (5.0, 7.0)).count == 3


def test_a_stance_on_the_ground_has_its_feet_there(motion: Motion) -> None:
    body = load_body("anny")
    assert motion.theta is not None
    assert motion.camera is not None
    arrays = (torch.from_numpy(a) for a in (motion.pose, motion.theta, motion.camera))
    stood = stance(body, body.shaped(torch.zeros(body.shape_count)), *arrays)
    assert centre_of(motion, 3, 0, body).y == pytest.approx(float(stood.floor[0]))
    assert centre_of(motion, 3, 0, body).x == pytest.approx(float(stood.hips[3, 0]))
