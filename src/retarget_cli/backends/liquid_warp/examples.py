"""One example as the tensors that the game takes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.liquid_warp.clothed import ClothedFlow
from retarget_cli.backends.liquid_warp.inputs import (
    Cast,
    Poser,
    build_sources,
    build_targets,
    meshes,
    normalized,
    resized,
    tensor,
)
from retarget_cli.core.example import Example
from retarget_cli.core.motion import FloatArray

# MediaPipe's landmarks of the face, and the shoulders, between which the neck begins.
FACE = slice(0, 11)
SHOULDERS = (11, 12)
# Room around the head, a share of the picture's side (released code); around the body, of the box itself.
HEAD_MARGIN = 0.05
BODY_MARGIN = 0.1

Box = tuple[int, int, int, int]


def build_tensors(
    example: Example, size: tuple[int, int], *, visible_only: bool = False, is_clothed: bool = False
) -> dict[str, Tensor]:
    """What a step learns from; keys as in `LiquidWarpGame`.

    Args:
        example: sources and target of one person.
        size: (height, width) of the network's pictures.
        visible_only: see `build_sources`.
        is_clothed: see `ClothedFlow`; a second a picture.
    """
    subject, target = example.subject, example.target
    poser = Poser(subject.body, subject.betas, subject.size, torch.device("cpu"))
    sources = build_sources([Cast(subject.views, poser)], size, visible_only=visible_only)
    mesh, _ = meshes(subject.body, size, poser.device)
    made = build_targets(sources, poser.places(target.theta[None], target.camera[None]), mesh)
    if is_clothed:
        made = ClothedFlow(subject.views, poser, size).over(made, target.theta[None], target.camera[None])
    views = (*subject.views, target)
    pictures = tensor(np.stack([normalized(view.image, size) for view in views]), poser.device)
    # Averaging pixels may give a shade more than 1, which no logarithm of a loss takes.
    outside = [(1 - resized(view.mask, size)).clip(0, 1) for view in views]
    pose = target.pose * np.array([size[1] / subject.size[1], size[0] / subject.size[0], 1], np.float32)
    return {
        "sources": sources.inputs,
        "flows": made.flows[0],
        "target_input": made.inputs[0],
        "background_input": sources.background,
        "real_sources": pictures[:-1],
        "real_target": pictures[-1],
        "real_background": tensor(normalized(example.plate, size)[None], poser.device)[0],
        "silhouettes": torch.from_numpy(np.stack(outside))[:, None],
        "head": torch.tensor(head_box(pose, size)),
        "body": torch.tensor(body_box(pose, size)),
    }


def head_box(pose: FloatArray, size: tuple[int, int]) -> Box:
    """x0, x1, y0, y1 of face and neck."""
    neck = pose[list(SHOULDERS), :2].mean(0, keepdims=True)
    points = np.concatenate([pose[FACE, :2], neck])
    sides, above = HEAD_MARGIN * size[1], HEAD_MARGIN * size[0]
    low, high = points.min(0), points.max(0)
    return _inside(low[0] - sides, high[0] + sides, low[1] - above, high[1], size)


def body_box(pose: FloatArray, size: tuple[int, int]) -> Box:
    """x0, x1, y0, y1 of all landmarks, and a tenth of their extent on every side."""
    low, high = pose[:, :2].min(0), pose[:, :2].max(0)
    room = BODY_MARGIN * (high - low)
    return _inside(low[0] - room[0], high[0] + room[0], low[1] - room[1], high[1] + room[1], size)


def _inside(left: float, right: float, top: float, bottom: float, size: tuple[int, int]) -> Box:
    """Whole pixels, at least a quarter of the picture wide and high where the person is not in it."""
    x0, x1 = _span(left, right, size[1])
    y0, y1 = _span(top, bottom, size[0])
    return x0, x1, y0, y1


def _span(low: float, high: float, side: int) -> tuple[int, int]:
    least = max(8, side // 16)
    start = int(np.clip(np.floor(low), 0, side - least))
    return start, int(np.clip(np.ceil(high), start + least, side))
