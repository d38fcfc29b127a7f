"""One person's few pictures, varied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.workflows.scenes import subject

from retarget_cli.core.example import Example
from retarget_cli.workflows.variations import moved_view, varied

SIZE = (96, 64)


def example() -> Example:
    person = subject(SIZE, np.pi)
    return Example(person, person.primary, person.plate)


def test_the_examples_come_first_and_unchanged() -> None:
    own = example()
    made = varied([own, own], 0, 3)
    assert len(made) == 8
    assert made[0] is own
    assert made[1] is own
    assert varied([own], 0, 0) == [own]


def test_variations_depend_on_the_seed_alone() -> None:
    own = example()
    first, again, other = (varied([own], seed, 2)[1:] for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.target.image, two.target.image)
        np.testing.assert_array_equal(one.subject.views[0].theta, two.subject.views[0].theta)
    assert not np.array_equal(first[0].target.camera, other[0].target.camera)
    assert not np.array_equal(first[0].target.camera, first[1].target.camera)


def test_sources_and_target_move_apart_and_only_the_sources_bodies_are_disturbed() -> None:
    own = example()
    (_, made) = varied([own], 0, 1)
    front, back = made.subject.views
    assert not np.allclose(front.camera, made.target.camera)
    np.testing.assert_array_equal(made.target.theta, own.target.theta)
    assert 0 < np.abs(front.theta - own.subject.views[0].theta).max() < np.radians(6)
    np.testing.assert_allclose(front.camera[0] / back.camera[0], 1, atol=1e-5)
    assert own.subject.plate.shape == made.plate.shape


@pytest.mark.parametrize("move", [[[1.25, 0, -7], [0, 1.25, 3]], [[0.8, 0, 4.5], [0, 0.8, 9]]])
def test_picture_mask_pose_and_camera_move_together(move: list[list[float]]) -> None:
    """What is drawn with the moved camera is where the moved picture shows it."""
    view = example().target
    mask = np.zeros(SIZE, np.float32)
    mask[40:44, 20:24] = 1  # about the corner (22, 42)
    moved = moved_view(replace(view, mask=mask), np.array(move, np.float32))
    rows, columns = np.nonzero(moved.mask > 0.5)
    scale, x, y = move[0][0], move[0][2], move[1][2]
    assert columns.mean() + 0.5 == pytest.approx(scale * 22 + x, abs=0.6)
    assert rows.mean() + 0.5 == pytest.approx(scale * 42 + y, abs=0.6)
    point = np.array([0.1, -0.2])
    there = moved.camera[0] * point + moved.camera[1:]
    np.testing.assert_allclose(there, scale * (view.camera[0] * point + view.camera[1:]) + [x, y], rtol=1e-5)
    np.testing.assert_allclose(moved.pose[:, :2], scale * view.pose[:, :2] + [x, y], rtol=1e-5)
    np.testing.assert_array_equal(moved.pose[:, 2], view.pose[:, 2])
