"""The backend: options, and the loop over frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.avatar.figure import Figure, build_figure
from retarget_cli.backends.avatar.transforms import compose, pose_transforms
from retarget_cli.backends.base import Backend, Performer, Signal, Spec, Window
from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.subject import Subject


@dataclass(frozen=True, slots=True)
class AvatarOptions:
    """Options of the avatar."""

    nodes: int = 170
    """how many mesh nodes stand on each other in the height of the picture"""

    samples: int = 2
    """samples a pixel in each direction, against jagged edges"""


class Avatar(Backend):
    """The photo as a clothed mesh; see docs/avatar.md."""

    spec: ClassVar[Spec] = Spec(
        summary="the photo as a clothed, posable mesh; no training, nothing to download",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=16,
        license="Apache-2.0; body data CC0",
    )
    options: ClassVar[type] = AvatarOptions

    def prepare(self, subject: Subject) -> AvatarPerformer:
        settings = self.settings
        if not isinstance(settings, AvatarOptions):
            raise TypeError(f"expected AvatarOptions, got {type(settings).__name__}")
        body = load_body(subject.body)
        shape = body.shaped(torch.from_numpy(subject.betas))
        step = max(1.5, subject.size[0] / settings.nodes)
        figure = build_figure(subject.views, body, shape, step)
        return AvatarPerformer(figure, body, shape, subject.size, settings.samples)


class AvatarPerformer(Performer):
    """One figure, posed and drawn frame by frame on the CPU."""

    def __init__(self, figure: Figure, body: Body, shape: Shape, size: tuple[int, int], samples: int) -> None:
        self.figure, self.body, self.shape = figure, body, shape
        self.size, self.samples = size, samples

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        from retarget_cli.body.raster.numba_zbuffer import make_buffers

        buffers = make_buffers(self.size[0] * self.samples, self.size[1] * self.samples)
        points = np.empty_like(self.figure.points)
        for window in driving:
            motion = window.motion
            if motion.theta is None or motion.camera is None:
                raise ValueError("the avatar needs a fitted motion")
            posed = pose_transforms(motion.theta, self.body, self.shape)
            transforms = compose(posed, self.figure.unposed[None])
            rendered = np.empty((len(window), 4, *self.size), np.float32)
            for row in range(len(window)):
                self._draw(transforms[row], motion.camera[row], points, buffers, rendered[row])
            yield torch.from_numpy(rendered)

    def _draw(self, transforms, camera, points, buffers, out) -> None:
        from retarget_cli.backends.avatar.draw import move, shade
        from retarget_cli.body.raster.numba_zbuffer import rasterize

        figure, samples = self.figure, self.samples
        lens = (camera * samples).astype(np.float32)
        move(figure.points, figure.joints, figure.weights, transforms, lens, points)
        rows, columns = self.size
        rasterize(points, figure.faces, rows * samples, columns * samples, cull=True, out=buffers)
        shade(buffers.face_index, buffers.barycentric, figure.uv, figure.atlas, samples, out)
