"""The body fit against bodies whose pose is known."""

from __future__ import annotations

import torch
from tests.perception.bodies import body, random_theta, seen

from retarget_cli.body.placement import posed_landmarks
from retarget_cli.perception.analytic_pose import analytic_pose, frame, swing
from retarget_cli.perception.fit import BodyFitter, FitOptions, closest_camera, project

CAMERA = torch.tensor([[220.0, 160.0, 250.0]])


def test_swing_turns_one_direction_into_the_other() -> None:
    start, end = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0.0, 1.0, 0.0])
    turned = (swing(start, end.expand_as(start)) @ start[..., None])[..., 0]
    assert torch.allclose(turned / turned.norm(dim=-1, keepdim=True), end.expand_as(start), atol=1e-5)


def test_frame_is_a_rotation_that_keeps_across() -> None:
    axes = frame(torch.tensor([2.0, 0.3, 0.1]), torch.tensor([0.5, 1.0, 0.0]))
    assert torch.allclose(axes.mT @ axes, torch.eye(3), atol=1e-6)
    assert torch.linalg.det(axes) > 0
    assert torch.allclose(axes[:, 0], torch.tensor([2.0, 0.3, 0.1]) / torch.tensor([2.0, 0.3, 0.1]).norm())


def test_rest_landmarks_give_the_rest_pose() -> None:
    rest = body().shaped(torch.zeros(body().shape_count))
    local = analytic_pose(rest, rest.landmarks[None], torch.ones(1, 33))
    assert torch.allclose(local, torch.eye(3).expand_as(local), atol=2e-3)


def test_closest_camera_is_exact_on_exact_landmarks() -> None:
    pose, world = seen(random_theta(3, 1), torch.zeros(body().shape_count), CAMERA.expand(3, 3))
    assert torch.allclose(closest_camera(world, pose[..., :2], torch.ones(3, 33)), CAMERA.expand(3, 3), atol=1e-2)


def test_fit_brings_landmarks_back_to_where_they_were_seen() -> None:
    betas = torch.zeros(body().shape_count)
    pose, world = seen(random_theta(12, 2), betas, CAMERA.expand(12, 3))
    fit = BodyFitter(body()).fit(pose, world, betas)
    assert fit.error.mean() < 0.012  # of the person's height
    again = posed_landmarks(body(), body().shaped(betas), fit.theta)
    apart = (project(again, fit.camera) - pose[..., :2]).norm(dim=-1)
    joints = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert apart[:, joints].mean() < 4.0  # pixels of a person 370 px tall
    assert (again[:, joints, 2] - world[:, joints, 2]).abs().mean() < 0.05  # metres of depth


def test_more_steps_bring_it_closer() -> None:
    betas = torch.zeros(body().shape_count)
    pose, world = seen(random_theta(12, 3), betas, CAMERA.expand(12, 3))
    errors = [
        float(BodyFitter(body(), FitOptions(steps=steps)).fit(pose, world, betas).error.mean()) for steps in (0, 1, 4)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_shape_is_learned_from_proportions() -> None:
    betas = torch.zeros(body().shape_count)
    longer = [i for i, name in enumerate(body().shape_names) if "leg" in name]
    assert longer
    betas[longer] = 1.5
    pose, world = seen(random_theta(16, 4, 0.2), betas, CAMERA.expand(16, 3))
    start = torch.zeros(body().shape_count)
    kept = BodyFitter(body(), FitOptions()).fit(pose, world, start)
    learned = BodyFitter(body(), FitOptions(shape_rounds=3)).fit(pose, world, start)
    assert learned.error.mean() < kept.error.mean()


def test_what_is_not_believed_does_not_pull() -> None:
    betas = torch.zeros(body().shape_count)
    pose, world = seen(random_theta(2, 5), betas, CAMERA.expand(2, 3))
    spoiled = pose.clone()
    spoiled[:, 25:33, :2] += 300
    spoiled[:, 25:33, 2] = 0.05
    kept, moved = (BodyFitter(body()).fit(p, world, betas) for p in (pose, spoiled))
    assert torch.allclose(kept.theta[:, [16, 17, 18, 19]], moved.theta[:, [16, 17, 18, 19]], atol=0.12)
    legs = moved.theta[:, [4, 5]].norm(dim=-1)
    assert (legs < 0.5).all()  # nothing is known of the knees: they stay nearly straight
