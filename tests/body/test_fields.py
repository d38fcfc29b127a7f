"""Where on a body its vertices lie."""

from __future__ import annotations

import numpy as np
import torch
from tests.perception.bodies import body

from retarget_cli.body.fields import Fields
from retarget_cli.body.limbs import dense_weights


def measured() -> tuple[Fields, np.ndarray, np.ndarray]:
    shape = body().shaped(torch.zeros(body().shape_count))
    return Fields.of(body(), shape), shape.vertices.numpy(), shape.joints.numpy()


def test_shares_of_joints_sum_to_one() -> None:
    assert np.allclose(dense_weights(body()).sum(1), 1, atol=1e-4)


def test_arms_and_legs_are_counted_from_joint_to_joint() -> None:
    fields, rest, joints = measured()
    for values, chain in ((fields.arm, (16, 18, 20)), (fields.leg, (1, 4, 7))):
        for first in (0, 1):
            middle = (joints[chain[first]] + joints[chain[first + 1]]) / 2
            near = np.argsort(np.linalg.norm(rest - middle, axis=1))[:20]
            assert abs(float(values[near].mean()) - first - 0.5) < 0.12


def test_the_head_has_no_limbs_and_is_above_the_collar() -> None:
    fields, _, _ = measured()
    head = fields.head > 0.9
    assert head.sum() > 100
    assert (fields.arm[head] < 0).all()
    assert (fields.leg[head] < 0).all()
    assert (fields.collar[head] < 0).mean() > 0.95


def test_down_is_one_at_the_hips() -> None:
    fields, rest, joints = measured()
    hips = np.abs(rest[:, 1] - joints[[1, 2], 1].mean()) < 0.005
    assert np.allclose(fields.down[hips], 1, atol=0.03)


def test_stacked_and_back() -> None:
    fields, _, _ = measured()
    again = Fields.unstacked(fields.stacked())
    assert np.allclose(again.foot, fields.foot)
    assert np.allclose(again.arm, fields.arm)
