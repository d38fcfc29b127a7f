"""Smoothing takes jitter away and nothing else; resampling keeps times and poses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from retarget_cli.core.motion import FloatArray, Motion, join
from retarget_cli.perception.smoothing import REACH, align_signs, regression, resample_motion, smooth_motion

FPS = 30


def moving(x: FloatArray, rate: Fraction = Fraction(FPS), angle: FloatArray | None = None) -> Motion:
    """Camera tx follows `x`; the left shoulder turns about z by `angle`; seen throughout."""
    count = len(x)
    theta = np.zeros((count, 24, 3), np.float32)
    if angle is not None:
        theta[:, 16, 2] = angle
    camera = np.stack([np.full(count, 200.0), x, np.full(count, 50.0)], 1).astype(np.float32)
    pose = np.ones((count, 33, 3), np.float32)
    times = tuple(i / rate for i in range(count))
    present = np.ones(count, bool)
    return Motion((400, 300), times, present, pose, pose, "anny", theta, camera, np.zeros(5, np.float32))


def smoothed(motion: Motion, strength: float, length: int = 32) -> Motion:
    windows = (motion.rows(at, at + length) for at in range(0, len(motion), length))
    return join(list(smooth_motion(windows, strength)))


def path(motion: Motion) -> FloatArray:
    assert motion.camera is not None
    return motion.camera[:, 1]


def shoulder(motion: Motion) -> FloatArray:
    assert motion.theta is not None
    return motion.theta[:, 16, 2]


@pytest.mark.parametrize("strength", [0.05, 0.35, 1.0])
def test_constants_lines_and_parabolas_stay(strength: float) -> None:
    t = np.arange(90) / FPS
    for x in (np.full(90, 70.0), 20 + 90 * t, 40 - 30 * t + 25 * t**2):
        inside = slice(40, 50)  # the ends lean on one side: the ridge bends curves a little there
        result = path(smoothed(moving(x), strength))
        assert np.abs(result - x)[inside].max() < 0.15
        assert np.abs(result - x).max() < 1.5


def test_a_constant_stays_exactly() -> None:
    angle = np.full(60, 0.7, np.float32)
    result = smoothed(moving(np.full(60, 33.0), angle=angle), 1.0)
    assert np.abs(path(result) - 33).max() < 1e-3
    assert np.abs(shoulder(result) - 0.7).max() < 1e-4


def test_strength_zero_changes_nothing() -> None:
    motion = moving(np.random.default_rng(0).normal(0, 1, 20))
    assert path(smoothed(motion, 0.0)).tolist() == path(motion).tolist()


def test_noise_shrinks_the_more_the_stronger() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 300)
    left = [float(path(smoothed(moving(noise, angle=0.1 * noise), s)).std()) for s in (0.1, 0.35, 1.0)]
    assert left[0] < 1.01
    assert left[1] < 0.75
    assert left[2] < 0.45
    assert left[0] > left[1] > left[2]


def test_noise_of_joints_shrinks_too() -> None:
    noise = 0.1 * np.random.default_rng(2).normal(0, 1, 300)
    assert shoulder(smoothed(moving(np.zeros(300), angle=noise), 1.0)).std() < 0.045


def test_there_is_no_lag() -> None:
    """A swing of one a second comes back at the same moment, nearly whole."""
    t = np.arange(120) / FPS
    wave = 30 * np.sin(2 * np.pi * t)
    result = path(smoothed(moving(wave), 0.35))
    shifts = range(-5, 6)
    fits = [np.corrcoef(result[20:100], wave[20 + s : 100 + s])[0, 1] for s in shifts]
    assert list(shifts)[int(np.argmax(fits))] == 0
    assert np.abs(result - wave)[20:100].max() < 1.5


def test_few_frames_a_second_are_left_nearly_as_they_are() -> None:
    noise = np.random.default_rng(3).normal(0, 10, 60)
    result = path(smoothed(moving(noise, Fraction(5)), 0.35))
    assert np.abs(result - noise).max() < 0.5


def test_windows_do_not_show() -> None:
    """Streaming gives what one window gives, but for what lies beyond the reach of the Gaussian."""
    rng = np.random.default_rng(4)
    motion = moving(rng.normal(0, 1, 400), angle=(0.2 * rng.normal(0, 1, 400)).astype(np.float32))
    at_once, streamed = smoothed(motion, 0.5, 400), smoothed(motion, 0.5, 16)
    assert streamed.times == motion.times
    assert np.abs(path(at_once) - path(streamed)).max() < 0.05
    assert np.abs(shoulder(at_once) - shoulder(streamed)).max() < 0.01


def test_it_holds_back_no_more_than_its_reach() -> None:
    motion = moving(np.zeros(600))
    taken = 0

    def windows():  # type: ignore[no-untyped-def]
        nonlocal taken
        for at in range(0, 600, 10):
            taken += 10
            yield motion.rows(at, at + 10)

    stream = smooth_motion(windows(), 0.35)
    next(stream)
    assert taken <= 10 + FPS * REACH * 0.16 * 0.35 * 3 + 20


def test_frames_that_were_not_seen_do_not_count() -> None:
    x = np.zeros(60)
    x[30] = 1000
    motion = moving(x)
    motion.present[30] = False
    assert np.abs(np.delete(path(smoothed(motion, 1.0)), 30)).max() < 1e-3


def test_turns_beyond_pi_do_not_flip() -> None:
    angle = np.linspace(0, 3 * np.pi, 120)
    wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
    result = shoulder(smoothed(moving(np.zeros(120), angle=wrapped), 0.35))
    apart = (result - angle + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(apart).max() < 0.03


def test_one_frame_is_left_alone() -> None:
    assert path(smoothed(moving(np.array([5.0])), 1.0)).tolist() == [5.0]


def test_weights_sum_to_one_and_forget_what_was_not_seen() -> None:
    times = torch.arange(20, dtype=torch.float64) / FPS
    seen = torch.ones(20, dtype=torch.float64)
    seen[3:6] = 0
    weights = regression(times, times, seen, 0.1)
    assert torch.allclose(weights.sum(1), torch.ones(20, dtype=torch.float64))
    assert weights[:, 3:6][[0, 1, 9]].abs().max() < 1e-9
    alone = regression(times, times, torch.zeros(20, dtype=torch.float64), 0.1)
    assert torch.allclose(alone, torch.eye(20, dtype=torch.float64), atol=1e-6)


def test_signs_are_aligned_one_after_the_other() -> None:
    q = torch.randn(1, 3, 4).expand(6, 3, 4).clone()
    q[[1, 2, 4]] *= -1
    assert torch.equal(align_signs(q), q[:1].expand(6, 3, 4))


def resampled(motion: Motion, rate: Fraction, length: int) -> Motion:
    windows = (motion.rows(at, at + length) for at in range(0, len(motion), length))
    return join(list(resample_motion(windows, rate)))


@pytest.mark.parametrize("length", [1, 3, 7, 40])
@pytest.mark.parametrize("rate", [Fraction(12), Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(7, 3)])
def test_resampled_times_are_exact_and_values_on_the_way(length: int, rate: Fraction) -> None:
    t = np.arange(31) / FPS
    motion = moving(90 * t, angle=t.astype(np.float32))
    result = resampled(motion, rate, length)
    expected = [k / rate for k in range(1000) if k / rate <= 1]
    assert list(result.times) == expected
    wanted = np.array([float(time) for time in expected])
    assert np.abs(path(result) - 90 * wanted).max() < 1e-3
    assert np.abs(shoulder(result) - wanted).max() < 1e-3


def test_the_same_rate_keeps_every_frame_to_the_last() -> None:
    motion = moving(np.random.default_rng(5).normal(0, 9, 33))
    result = resampled(motion, Fraction(FPS), 8)
    assert result.times == motion.times
    assert np.abs(path(result) - path(motion)).max() < 1e-3


def test_a_clip_that_does_not_start_at_zero_keeps_its_start() -> None:
    motion = moving(np.arange(30.0))
    later = motion.rows(7, 30)
    assert resampled(later, Fraction(60), 8).times[0] == Fraction(7, FPS)
    assert resampled(later, Fraction(60), 8).times[-1] == Fraction(29, FPS)


def test_one_frame_is_resampled_to_one_frame() -> None:
    assert resampled(moving(np.array([4.0])), Fraction(60), 8).times == (Fraction(0),)
