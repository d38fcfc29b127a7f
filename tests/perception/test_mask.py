"""Outlines on drawn people, whose true mask is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pretend_people import figure, reading_of

from retarget_cli.perception import mask as mask_module
from retarget_cli.perception.mask import foreground_colors, person_mask, refined_mask
from retarget_cli.perception.pose import PoseFinding

CENTER = (160.0, 200.0, 150.0)
BONES = [(11, 12), (11, 23), (12, 24), (23, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28)]  # fmt: skip  # noqa: E501


def _drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo of a stick man with thick limbs, his true mask and his landmarks."""
    random = np.random.default_rng(5)
    pose = figure(*CENTER)
    hard = np.zeros((400, 320), dtype=np.uint8)
    for start, end in BONES:
        first, last = (tuple(int(v) for v in pose[k, :2]) for k in (start, end))
        cv2.line(hard, first, last, 1, 22)
    cv2.circle(hard, tuple(int(v) for v in pose[0, :2]), 24, 1, -1)
    cv2.line(hard, tuple(int(v) for v in pose[0, :2]), (160, 110), 1, 16)
    truth = cv2.GaussianBlur(hard.astype(np.float32), (0, 0), 0.8)
    front = np.array([40, 60, 160.0]) + random.normal(0, 6, (400, 320, 1))
    back = np.array([190, 180, 150.0]) + random.normal(0, 6, (400, 320, 1))
    rgb = truth[..., None] * front + (1 - truth[..., None]) * back
    return rgb.clip(0, 255).astype(np.uint8), truth, pose


def _blurred(truth: np.ndarray) -> np.ndarray:
    """As the network would give it: coarse, and a little aside."""
    height, width = truth.shape
    small = cv2.resize(np.roll(truth, 1, axis=1), (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.float32)


def test_the_outline_moves_to_the_edge() -> None:
    rgb, truth, pose = _drawn()
    soft = _blurred(truth)
    found = refined_mask(rgb, soft, pose)
    assert found.dtype == np.float32
    assert found.shape == truth.shape
    assert np.abs(found - truth).mean() < 0.4 * np.abs(soft - truth).mean()
    hard = truth > 0.5
    union = np.count_nonzero(hard | (found > 0.5))
    assert np.count_nonzero(hard & (found > 0.5)) / union > 0.98


def test_the_edge_is_narrow() -> None:
    rgb, truth, pose = _drawn()
    found = refined_mask(rgb, _blurred(truth), pose)
    outline = (
        cv2.morphologyEx((truth > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum()
        / 2
    )
    assert np.count_nonzero((found > 0.05) & (found < 0.95)) / outline < 3


def test_islands_go_and_what_is_held_stays() -> None:
    rgb, truth, pose = _drawn()
    hand = pose[15, :2].astype(int)
    ball = np.zeros(truth.shape, np.uint8)
    cv2.circle(ball, (int(hand[0]) + 14, int(hand[1])), 16, 1, -1)
    island = np.zeros(truth.shape, np.uint8)
    cv2.circle(island, (35, 60), 16, 1, -1)
    rgb = np.where((ball | island)[..., None] > 0, np.array([240, 240, 240], np.uint8), rgb)
    soft = np.maximum(_blurred(truth), _blurred((ball | island).astype(np.float32)))
    found = refined_mask(rgb, soft, pose)
    assert found[60, 35] == 0
    assert found[int(hand[1]), int(hand[0]) + 14] == 1


def test_half_a_body_and_landmarks_far_outside_do_no_harm() -> None:
    rgb, truth, pose = _drawn()
    soft = _blurred(truth)[:230]
    pose[[25, 26, 27, 28, 31, 32], 2] = 0.1
    pose[27, :2] = 1e9, -1e9
    found = refined_mask(np.ascontiguousarray(rgb[:230]), soft, pose)
    assert np.abs(found - truth[:230]).mean() < 0.01
    pose[:, 2] = 0
    assert refined_mask(rgb, _blurred(truth), pose).shape == truth.shape


def _finding(soft: np.ndarray, pose: np.ndarray) -> PoseFinding:
    return PoseFinding(pose, np.zeros((33, 3), np.float32), soft)


@pytest.fixture
def no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The averaged mask is the finding's own."""
    monkeypatch.setattr(mask_module, "_averaged_mask", lambda rgb, finding: finding.soft_mask)


@pytest.mark.usefixtures("no_networks")
def test_a_cut_out_is_taken_as_it_is() -> None:
    rgb, truth, pose = _drawn()
    found = person_mask(rgb, _finding(_blurred(truth), pose), truth)
    np.testing.assert_array_equal(found, truth)


@pytest.mark.usefixtures("no_networks")
def test_other_transparency_only_limits() -> None:
    rgb, truth, pose = _drawn()
    round_frame = np.zeros(truth.shape, np.float32)
    cv2.ellipse(round_frame, (160, 200), (150, 120), 0, 0, 360, 1.0, -1)
    found = person_mask(rgb, _finding(_blurred(truth), pose), round_frame)
    assert found[round_frame == 0].max() == 0
    assert found[200, 160] == 1
    assert found[200, 50] == 0


@pytest.mark.usefixtures("no_networks")
def test_an_opaque_alpha_changes_nothing() -> None:
    rgb, truth, pose = _drawn()
    finding = _finding(_blurred(truth), pose)
    np.testing.assert_array_equal(
        person_mask(rgb, finding, np.ones(truth.shape, np.float32)), person_mask(rgb, finding, None)
    )


def test_readings_are_averaged_and_mirrored_ones_turned_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, truth, pose = _drawn()
    lopsided = truth.copy()
    lopsided[:, :160] = 0

    class Net:
        def __init__(self, **options: object) -> None:
            pass

        def __enter__(self) -> Net:
            return self

        def __exit__(self, *reason: object) -> None:
            pass

        def read(self, picture: np.ndarray, region: object) -> object:
            is_mirrored = not np.array_equal(picture, rgb)
            return reading_of(*CENTER, mask=lopsided[:, ::-1] if is_mirrored else lopsided)

    monkeypatch.setattr(mask_module, "LandmarkNet", Net)
    averaged = mask_module._averaged_mask(rgb, _finding(lopsided, pose))
    np.testing.assert_allclose(averaged, lopsided, atol=1e-6)


def test_colours_of_the_outline_come_from_inside() -> None:
    rgb, truth, _ = _drawn()
    found = foreground_colors(rgb, truth)
    edge = (truth > 0.05) & (truth < 0.95)
    inside = truth > 0.999
    assert np.abs(found[edge].mean(axis=0) - rgb[inside].mean(axis=0)).max() < 8
    assert np.abs(rgb[edge].mean(axis=0) - rgb[inside].mean(axis=0)).max() > 30
    deep = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0
    np.testing.assert_array_equal(found[deep], rgb[deep])


def test_colours_without_anybody() -> None:
    rgb = np.full((20, 30, 3), 7, dtype=np.uint8)
    np.testing.assert_array_equal(foreground_colors(rgb, np.zeros((20, 30), np.float32)), rgb)
