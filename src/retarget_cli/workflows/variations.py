"""One person's few pictures, varied, so that networks learn how they look and not where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from retarget_cli.core.example import Example
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View

# How much larger or smaller a picture may become, how far it may be moved (a share of its sides), and the standard
# deviation, in degrees, of every joint of the source views: a fitted body has errors.
ZOOM, SHIFT, THETA_NOISE = 0.15, 0.06, 1.0


def varied(examples: Sequence[Example], seed: int, count: int) -> list[Example]:
    """The examples, and `count` variations of each: sources and target moved and scaled apart from each other.

    Of a single picture source and target are the same: without this a network learns to copy what lies where it lies.
    """
    made = list(examples)
    for number, example in enumerate(examples):
        for row in range(count):
            made.append(variation(example, np.random.default_rng([seed, number, row])))
    return made


def variation(example: Example, rng: np.random.Generator) -> Example:
    """Sources and target, each moved and scaled as a whole."""
    subject = example.subject
    here, there = (_move(rng, subject.size) for _ in range(2))
    views = tuple(_disturbed(rng, moved_view(view, here)) for view in subject.views)
    own = replace(subject, views=views, plate=moved_picture(subject.plate, here))
    return Example(own, moved_view(example.target, there), moved_picture(example.plate, there))


def _move(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    """(2, 3) affine: about the picture's middle."""
    scale = float(np.exp(rng.uniform(-1, 1) * np.log1p(ZOOM)))
    middle = np.array([size[1], size[0]]) / 2
    shift = rng.uniform(-SHIFT, SHIFT, 2) * (size[1], size[0])
    return np.column_stack([scale * np.eye(2), middle + shift - scale * middle]).astype(np.float32)


def moved_view(view: View, move: FloatArray) -> View:
    """A view after an affine move without turn."""
    scale, shift = float(move[0, 0]), move[:, 2]
    pose = view.pose.copy()
    pose[:, :2] = scale * pose[:, :2] + shift
    camera = np.concatenate([scale * view.camera[:1], scale * view.camera[1:] + shift]).astype(np.float32)
    mask = np.asarray(_warped(view.mask, move, cv2.BORDER_CONSTANT), np.float32)
    return replace(view, image=moved_picture(view.image, move), mask=mask, pose=pose, camera=camera)


def moved_picture(picture: Image, move: FloatArray) -> Image:
    """(H, W, 3), its border continued."""
    return np.asarray(_warped(picture, move, cv2.BORDER_REPLICATE), np.uint8)


def _warped(array: FloatArray | Image, move: FloatArray, border: int) -> np.ndarray:  # type: ignore[type-arg]
    # OpenCV counts from pixels' middles, cameras from their corners.
    own = move.copy()
    own[:, 2] += (move[0, 0] - 1) / 2
    return cv2.warpAffine(array, own, array.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border)


def _disturbed(rng: np.random.Generator, view: View) -> View:
    noise = rng.normal(0, np.radians(THETA_NOISE), view.theta.shape)
    return replace(view, theta=(view.theta + noise).astype(np.float32))
