"""Left and right taken for each other, and put back."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from tests.perception.bodies import body, random_theta, seen

from retarget_cli.core.motion import Motion, join
from retarget_cli.perception.turning import exchanged, facing, least_turning, straighten

FREE = np.full(90, np.radians(55), np.float32)


def turning(angles: list[float]) -> Motion:
    """A person who stands and turns to these angles, radians."""
    theta = torch.zeros(len(angles), 24, 3)
    theta[:, 0, 1] = -torch.tensor(angles)
    camera = torch.tensor([[200.0, 150.0, 200.0]]).expand(len(angles), 3)
    pose, world = seen(theta, torch.zeros(body().shape_count), camera)
    times = tuple(Fraction(i, 30) for i in range(len(angles)))
    return Motion((400, 300), times, np.ones(len(angles), bool), pose.numpy(), world.numpy())


def test_facing_has_the_sign_of_the_turn() -> None:
    measured = facing(turning([0.0, 0.5, -1.0, 3.0]).world)
    assert np.allclose(measured, [0.0, 0.5, -1.0, 3.0], atol=0.05)


def test_a_steady_turn_is_left_alone() -> None:
    assert not least_turning(np.linspace(0, 6.2, 90).astype(np.float32), FREE[:90], None).any()


def test_frames_read_backwards_are_found() -> None:
    angles = np.linspace(2.0, 3.1, 40).astype(np.float32)
    wrong = angles.copy()
    wrong[12:20] = np.pi - wrong[12:20]
    assert np.flatnonzero(least_turning(wrong, FREE[:40], None)).tolist() == list(range(12, 20))


def test_the_last_window_decides_the_next() -> None:
    angles = np.full(6, np.pi, np.float32)
    assert least_turning(angles, FREE[:6], before=0.0).all()
    assert not least_turning(angles, FREE[:6], before=3.0).any()


def test_a_quick_turn_in_a_slow_clip_is_believed() -> None:
    angles = np.array([0.2, 0.2, 2.0, 2.1, 2.1], np.float32)
    slow = np.full(5, np.radians(110), np.float32)
    assert not least_turning(angles, slow, None).any()


def test_exchanging_twice_changes_nothing_but_the_faces_depth() -> None:
    motion = turning([0.4])
    once = exchanged(motion.pose[0], motion.world[0])
    assert np.isclose(facing(once[1][None])[0], np.pi - 0.4, atol=0.05)
    twice = exchanged(*once)
    assert np.allclose(twice[0], motion.pose[0], atol=1e-4)
    assert np.allclose(twice[1][11:], motion.world[0][11:], atol=1e-5)


def test_straightened_windows_turn_no_faster_than_the_person() -> None:
    motion = turning(list(np.linspace(2.0, 3.0, 64)))
    pose, world = motion.pose.copy(), motion.world.copy()
    for row in (*range(20, 28), *range(31, 36)):  # across the border of two windows
        pose[row], world[row] = exchanged(pose[row], world[row])
    spoiled = Motion(motion.size, motion.times, motion.present, pose, world)
    fixed = join(list(straighten([spoiled.rows(0, 32), spoiled.rows(32, 64)])))
    assert np.abs(np.diff(np.unwrap(facing(fixed.world)))).max() < 0.3
    assert len(fixed) == 64


def test_windows_in_which_nobody_is_seen_pass() -> None:
    motion = turning([0.0, 0.1])
    empty = Motion(motion.size, motion.times, np.zeros(2, bool), motion.pose * 0, motion.world * 0)
    assert len(list(straighten([empty, motion, empty]))) == 3


def test_random_poses_keep_left_and_right() -> None:
    camera = torch.tensor([[200.0, 0, 0]]).expand(20, 3)
    pose, world = seen(random_theta(20, 0, 0.1), torch.zeros(body().shape_count), camera)
    times = tuple(Fraction(i, 5) for i in range(20))
    motion = Motion((400, 300), times, np.ones(20, bool), pose.numpy(), world.numpy())
    assert np.array_equal(join(list(straighten([motion]))).pose, motion.pose)
