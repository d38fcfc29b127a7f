"""From frames to a fitted motion, window by window, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from retarget_cli.body.model import Body
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.subject import Image
from retarget_cli.perception.fit import BodyFitter, FitOptions
from retarget_cli.perception.person_tracker import PersonTracker, State
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.pose import PoseFinding

WINDOW = 32
# The driving person's proportions are learned from this many frames that show him, then kept.
SHAPE_FRAMES = 24
# ... but a clip that starts empty is not held back for ever.
PATIENCE = 640


def read_poses(
    frames: Iterable[tuple[Fraction, Image]], size: tuple[int, int], choice: Choice
) -> Iterator[Motion]:
    """Landmarks of the chosen person, `WINDOW` frames at a time.

    Args:
        frames: (time, (H, W, 3) uint8).
        size: (height, width) of the frames.
        choice: whom to follow where several are seen.
    """
    with PersonTracker(choice, video=True, with_mask=False) as tracker:
        yield from _windows(frames, size, tracker)


def read_on(
    frames: Iterable[tuple[Fraction, Image]], size: tuple[int, int], choice: Choice, state: State | None
) -> Iterator[tuple[Motion, State]]:
    """`read_poses` from the middle of a clip.

    Args:
        frames, size, choice: as for `read_poses`; the frames of whole windows may be left out at the beginning.
        state: the tracker's after the frames left out; None where there are none.

    Returns:
        Windows of landmarks, each with the tracker's state after it.
    """
    with PersonTracker(choice, video=True, with_mask=False) as tracker:
        if state is not None:
            tracker.restore(state)
        for window in _windows(frames, size, tracker):
            yield window, tracker.state()


def _windows(
    frames: Iterable[tuple[Fraction, Image]], size: tuple[int, int], tracker: PersonTracker
) -> Iterator[Motion]:
    times: list[Fraction] = []
    findings: list[PoseFinding | None] = []
    for time, rgb in frames:
        times.append(time)
        findings.append(tracker.find(rgb))
        if len(times) == WINDOW:
            yield _poses(times, findings, size)
            times, findings = [], []
    if times:
        yield _poses(times, findings, size)


def _poses(times: list[Fraction], findings: list[PoseFinding | None], size: tuple[int, int]) -> Motion:
    pose = np.zeros((len(times), 33, 3), np.float32)
    world = np.zeros((len(times), 33, 3), np.float32)
    for row, finding in enumerate(findings):
        if finding is not None:
            pose[row], world[row] = finding.pose, finding.world
    present = np.array([finding is not None for finding in findings])
    return Motion(size, tuple(times), present, pose, world)


def fit_windows(windows: Iterable[Motion], body: Body) -> Iterator[Motion]:
    """The same windows with `theta`, `camera` and one shape for the whole clip.

    Holds back the first windows until the person has been seen often enough for his proportions to be learned.
    """
    waiting: list[Motion] = []
    betas: torch.Tensor | None = None
    fitter = BodyFitter(body)
    for window in windows:
        if betas is not None:
            yield _fitted(fitter, window, betas)
            continue
        waiting.append(window)
        seen = sum(int(part.present.sum()) for part in waiting)
        if seen >= SHAPE_FRAMES or sum(len(part) for part in waiting) >= PATIENCE:
            betas = fit_shape(body, join(waiting))
            yield from (_fitted(fitter, part, betas) for part in waiting)
            waiting = []
    if waiting:
        betas = fit_shape(body, join(waiting))
        yield from (_fitted(fitter, part, betas) for part in waiting)


def fit_shape(body: Body, motion: Motion) -> torch.Tensor:
    """(n,) proportions of the person in a motion; the mean person's when nobody is present."""
    rows = np.flatnonzero(motion.present)[:SHAPE_FRAMES]
    betas = torch.zeros(body.shape_count)
    if not len(rows):
        return betas
    fitter = BodyFitter(body, FitOptions(shape_rounds=3))
    pose, world = torch.from_numpy(motion.pose[rows]), torch.from_numpy(motion.world[rows])
    return fitter.fit(pose, world, betas).betas


def _fitted(fitter: BodyFitter, window: Motion, betas: torch.Tensor) -> Motion:
    theta = np.zeros((len(window), 24, 3), np.float32)
    camera = np.tile(np.array([1, 0, 0], np.float32), (len(window), 1))
    rows = np.flatnonzero(window.present)
    if len(rows):
        pose, world = torch.from_numpy(window.pose[rows]), torch.from_numpy(window.world[rows])
        fit = fitter.fit(pose, world, betas)
        theta[rows], camera[rows] = fit.theta.numpy(), fit.camera.numpy()
    return replace(window, body=fitter.body.name, theta=theta, camera=camera, betas=betas.numpy())
