"""Beyond the paper: the avatar's figure moves the colours, with its clothes and hair, where the naked body would not.

The flow to the first source leads from every pixel of the moved figure to where the same point of its sheets lies in
the photo; the other sources keep the body's flow. Conditions stay the body's: the network has learned from those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.avatar.draw import move, shade
from retarget_cli.backends.avatar.figure import Figure, build_figure
from retarget_cli.backends.avatar.transforms import compose, pose_transforms
from retarget_cli.backends.liquid_warp.flow import NOWHERE, Correspondence, interpolated
from retarget_cli.backends.liquid_warp.inputs import Poser, Size, Targets
from retarget_cli.body.placement import stature
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View

# Mesh nodes on top of each other in the person's height, as the avatar has them.
NODES = 140


class ClothedFlow:
    """One figure, moved frame by frame.

    Args:
        views: of the person; the first gives the figure its form.
        poser: the person's body.
        size: (height, width) of the network's pictures.

    Raises:
        InputError: nothing of the person is left to draw.
    """

    def __init__(self, views: Sequence[View], poser: Poser, size: Size) -> None:
        self._body, self._shape, self._size = poser.body.to("cpu"), poser.shape.to("cpu"), size
        camera = views[0].camera
        step = max(1.5, stature(self._shape) * float(camera[0]) / NODES)
        self._figure: Figure = build_figure(views, self._body, self._shape, step)
        height, width = poser.canvas
        self._zoom = np.array([size[1] / width, size[0] / height, 1], np.float32)
        photo = (self._figure.points[:, :2] * camera[0] + camera[1:]) / np.array([width / 2, height / 2]) - 1
        self._corners = torch.from_numpy(photo.astype(np.float32)[self._figure.faces])

    def over(self, targets: Targets, theta: FloatArray, camera: FloatArray) -> Targets:
        """The targets with the figure's colours and its flow to the first source.

        Args:
            targets: of the same frames, by the body.
            theta, camera: (B, 24, 3), (B, 3).
        """
        figure, (height, width) = self._figure, self._size
        transforms = compose(pose_transforms(theta, self._body, self._shape), figure.unposed[None])
        colours = np.empty((len(theta), 4, height, width), np.float32)
        index, weights = [], []
        points = np.empty_like(figure.points)
        for frame, transform, at in zip(colours, transforms, camera.astype(np.float32), strict=True):
            move(figure.points, figure.joints, figure.weights, transform, at, points)
            drawn = rasterize(points * self._zoom, figure.faces, height, width, cull=True)
            shade(drawn.face_index, drawn.barycentric, figure.uv, figure.atlas, 1, frame)
            index.append(torch.from_numpy(drawn.face_index.astype(np.int64)))
            weights.append(torch.from_numpy(drawn.barycentric))
        seen = Correspondence(torch.stack(index), torch.stack(weights))
        return self._joined(targets, seen, torch.from_numpy(colours))

    def _joined(self, targets: Targets, seen: Correspondence, colours: Tensor) -> Targets:
        device = targets.inputs.device
        moved = (2 * colours[:, :3] - 1) * seen.hit[:, None]
        first = interpolated(self._corners, seen, NOWHERE)
        return replace(
            targets,
            inputs=torch.cat([moved.to(device), targets.inputs[:, 3:]], 1),
            flows=torch.cat([first[:, None].to(device), targets.flows[:, 1:]], 1),
            hit=seen.hit.to(device),
        )
