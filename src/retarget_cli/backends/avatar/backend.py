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
from retarget_cli.body.placement import stature
from retarget_cli.core.errors import UsageError
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.subject import Subject


@dataclass(frozen=True, slots=True)
class AvatarOptions:
    """Options of the avatar."""

    nodes: int = 140
    """mesh nodes on top of each other in the person's height, 40 to 1000"""

    samples: int = 2
    """samples a pixel in each direction, against jagged edges, 1 to 4"""

    def __post_init__(self) -> None:
        if not 40 <= self.nodes <= 1000:
            raise UsageError(f"--set nodes={self.nodes}: out of bounds", "40 to 1000")
        if not 1 <= self.samples <= 4:
            raise UsageError(f"--set samples={self.samples}: out of bounds", "1 to 4")


class Avatar(Backend):
    """The photo as a clothed mesh; see docs/avatar.md."""

    spec: ClassVar[Spec] = Spec(
        summary="the photo as a clothed, posable mesh; no training, nothing to download",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=16,
        license="Apache-2.0; body data CC0",
    )
    options: ClassVar[type] = AvatarOptions

    def __init__(self, options: AvatarOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._options = options

    def prepare(self, subject: Subject) -> Performer:
        """Cut the person out of the views and stand him up."""
        body = load_body(subject.body)
        shape = body.shaped(torch.from_numpy(subject.betas))
        step = max(1.5, stature(shape) * float(subject.primary.camera[0]) / self._options.nodes)
        figure = build_figure(subject.views, body, shape, step)
        kind = AvatarPerformer if self.device.type == "cpu" else DevicePerformer
        return kind(figure, body, shape, subject.size, self._options.samples, self.device)


class AvatarPerformer(Performer):
    """One figure, posed and drawn frame by frame on the CPU.

    Args:
        figure: what is drawn.
        body, shape: give the bones their places.
        size: (height, width) of the result.
        samples: samples a pixel in each direction.
        device: where the result lies.
    """

    def __init__(
        self,
        figure: Figure,
        body: Body,
        shape: Shape,
        size: tuple[int, int],
        samples: int,
        device: torch.device,
    ) -> None:
        self.figure, self.body, self.shape = figure, body, shape
        self.size, self.samples, self.device = size, samples, device

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`; every frame depends on its own motion alone."""
        from retarget_cli.backends.avatar.draw import move, shade
        from retarget_cli.body.raster.numba_zbuffer import make_buffers, rasterize

        figure, samples = self.figure, self.samples
        rows, columns = self.size[0] * samples, self.size[1] * samples
        buffers = make_buffers(rows, columns)
        points = np.empty_like(figure.points)
        for window in driving:
            transforms, cameras = self._moved(window.motion)
            rendered = np.empty((len(window), 4, *self.size), np.float32)
            for frame, transform, camera in zip(rendered, transforms, cameras, strict=True):
                move(figure.points, figure.joints, figure.weights, transform, camera * samples, points)
                rasterize(points, figure.faces, rows, columns, cull=True, out=buffers)
                shade(buffers.face_index, buffers.barycentric, figure.uv, figure.atlas, samples, frame)
            yield torch.from_numpy(rendered)

    def _moved(self, motion: Motion) -> tuple[FloatArray, FloatArray]:
        """(T, 24, 3, 4) from the source's pose to the frames', and (T, 3) cameras."""
        if motion.theta is None or motion.camera is None:
            raise ValueError("the avatar needs a fitted motion")
        posed = pose_transforms(motion.theta, self.body, self.shape)
        return compose(posed, self.figure.unposed[None]), motion.camera.astype(np.float32)


class DevicePerformer(AvatarPerformer):
    """The same on CUDA or MPS, by torch's or PyTorch3D's rasterizer."""

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`."""
        from retarget_cli.backends.avatar.draw_torch import FigureTensors, draw

        figure = FigureTensors.of(self.figure, self.device)
        for window in driving:
            transforms, cameras = (torch.from_numpy(array).to(self.device) for array in self._moved(window.motion))
            frames = (
                draw(figure, transform, camera, self.size, self.samples)
                for transform, camera in zip(transforms, cameras, strict=True)
            )
            yield torch.stack(list(frames))
