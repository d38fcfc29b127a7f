"""From people and poses to what the networks take: pictures of 4 to 3 about the hips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.remot.design import Size
from retarget_cli.backends.stage.frame import REACH, Frame
from retarget_cli.backends.stage.pictures import colours
from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import posed_landmarks
from retarget_cli.core.layout import Labels, planes
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View
from retarget_cli.networks.composite_generator import EMPTY
from retarget_cli.perception.parsing import Parser, parsed_views
from retarget_cli.perception.pose_map import pose_map
from retarget_cli.perception.trained_parsing import find_trained

# Landmarks of the face, which a head that is turned away hides: all of the head's but the ears.
_FACE = (*range(7), 9, 10)
_NOSE, _EARS = 0, (7, 8)
_AWAY, _DOWN = 2, 1
# Room about the head's landmarks, and the least side of a box, as shares of the picture's height.
_ROOM, _LEAST = 0.03, 0.1

Box = tuple[int, int, int, int]


class Poser:
    """One person's landmarks, put into poses.

    Args:
        body: name of the model.
        betas: (n,) shape.
        size: (H, W) of the network's pictures.
    """

    def __init__(self, body: str, betas: FloatArray, size: Size) -> None:
        self._body, self.size = load_body(body), size
        self._shape = self._body.shaped(torch.from_numpy(betas))

    def landmarks(self, theta: FloatArray) -> FloatArray:
        """(T, 33, 3) in the network's picture: x, y in pixels, confidence; of theta (T, 24, 3)."""
        height, width = self.size
        points = posed_landmarks(self._body, self._shape, torch.from_numpy(theta)).numpy()
        found = np.ones_like(points)
        found[..., :2] = points[..., :2] * (height / (2 * REACH)) + (width / 2, height / 2)
        is_hidden = points[:, _NOSE, _AWAY] > points[:, _EARS, _AWAY].mean(1)
        found[np.ix_(is_hidden, list(_FACE), [2])] = 0
        return found.astype(np.float32)

    def maps(self, theta: FloatArray) -> Tensor:
        """(T, 3, H, W) in [-1, 1]: limbs in colour on black, of theta (T, 24, 3)."""
        drawn = np.stack([pose_map(points, self.size) for points in self.landmarks(theta)])
        return torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 127.5 - 1


def head_box(points: FloatArray, size: Size) -> Box:
    """x0, x1, y0, y1 about the head of landmarks (33, 3) in a picture of `size`; whole pixels, inside."""
    height, width = size
    head = points[: max(_FACE) + 1, :2]
    middle, spread = (head.max(0) + head.min(0)) / 2, (head.max(0) - head.min(0)).max()
    half = max(_LEAST * height, float(spread) + 2 * _ROOM * height) / 2
    (x0, x1), (y0, y1) = (
        _span(float(at) - half, float(at) + half, most) for at, most in zip(middle, (width, height), strict=True)
    )
    return x0, x1, y0, y1


def _span(low: float, high: float, most: int) -> tuple[int, int]:
    start = int(np.clip(round(low), 0, most - 1))
    return start, int(np.clip(round(high), start + 1, most))


def seen_person(view: View, labels: Labels, size: Size) -> tuple[Tensor, Tensor, Tensor]:
    """Of one view, in the person's frame.

    Args:
        view: with mask and fitted body.
        labels: (H', W') its layout.
        size: (H, W).

    Returns:
        (3, H, W) colours in [-1, 1] on black; (6, H, W) layout; (1, H, W) mask, both in [0, 1].
    """
    mask = torch.from_numpy(view.mask)[None].float()
    regions = torch.from_numpy(planes(labels)[1:])
    light = (colours(view.image) - EMPTY) * mask
    cut = Frame.of(view.camera, size).cut(torch.cat([light, regions, mask]))
    person, regions, mask = cut[:3], cut[3:-1].clamp(0, 1), cut[-1:].clamp(0, 1)
    background = (1 - regions.sum(0, keepdim=True)).clamp(0, 1)
    return (person + EMPTY).clamp(-1, 1), torch.cat([background, regions]), mask


def layouts(views: Sequence[View], body: str, betas: FloatArray) -> list[Labels]:
    """Layouts of views of one person in the same clothes; by a network, where the user has imported one."""
    parser = Parser(load_body(body), betas, find_trained(torch.device("cpu")))
    return parsed_views(views, parser)
