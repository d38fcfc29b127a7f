"""Alpha from colours, on pictures whose alpha is known."""

from __future__ import annotations

import cv2
import numpy as np

from retarget_cli.perception.matting import solve_alpha


def _composite(height: int = 60, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """A green disc with a soft edge on red, and its alpha."""
    hard = np.zeros((height, width), dtype=np.float32)
    cv2.circle(hard, (width // 2, height // 2), 18, 1.0, -1)
    alpha = cv2.GaussianBlur(hard, (0, 0), 1.0)
    front, back = np.array([20, 180, 60.0]), np.array([200, 40, 30.0])
    return (alpha[..., None] * front + (1 - alpha[..., None]) * back).astype(np.uint8), alpha


def test_recovers_a_soft_edge_from_a_blurred_guess() -> None:
    rgb, truth = _composite()
    guess = cv2.GaussianBlur(np.roll(truth, 3, axis=1), (0, 0), 3.0)
    unknown = cv2.dilate((np.abs(truth - 0.5) < 0.49).astype(np.uint8), np.ones((9, 9))) > 0
    guess = np.where(unknown, guess, np.round(truth)).astype(np.float32)
    found = solve_alpha(rgb, guess, unknown)
    assert np.abs(found - truth).max() < 0.25
    assert np.abs(found - truth).mean() < 0.35 * np.abs(guess - truth).mean()


def test_known_pixels_keep_their_value() -> None:
    rgb, truth = _composite()
    unknown = np.zeros(truth.shape, dtype=bool)
    unknown[20:30, 20:30] = True
    guess = np.random.default_rng(0).random(truth.shape).astype(np.float32)
    found = solve_alpha(rgb, guess, unknown)
    np.testing.assert_array_equal(found[~unknown], guess[~unknown])
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


def test_where_colours_say_nothing_the_guess_stays() -> None:
    rgb = np.full((20, 30, 3), 128, dtype=np.uint8)
    guess = np.full((20, 30), 0.3, dtype=np.float32)
    found = solve_alpha(rgb, guess, np.ones((20, 30), dtype=bool))
    np.testing.assert_allclose(found, 0.3, atol=1e-3)


def test_nothing_unknown_and_pictures_too_small_for_a_window() -> None:
    guess = np.full((2, 5), 0.3, dtype=np.float32)
    rgb = np.zeros((2, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(solve_alpha(rgb, guess, np.ones((2, 5), dtype=bool)), guess)
    rgb, truth = _composite()
    np.testing.assert_array_equal(solve_alpha(rgb, truth, np.zeros(truth.shape, dtype=bool)), truth)
