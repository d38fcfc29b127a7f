"""One subject, ready: its volumes are aggregated once, and every frame only moves and decodes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Volumetric, Window
from retarget_cli.backends.bottleneck.fast import FastBottleneck
from retarget_cli.backends.bottleneck.inputs import seen_person, square
from retarget_cli.backends.bottleneck.model import Bottleneck, Made
from retarget_cli.backends.bottleneck.options import MAPS
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.body.viewpoint import turn_about
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Subject
from retarget_cli.geometry.rotations import axis_angle_to_matrix

# A sigmoid never says quite nothing, nor all: what is so near counts as it, or the whole background would be tinted.
UNSURE = 0.02
# Two poses are one where no joint is turned by more than this, radians.
_SAME = 1e-4


class BottleneckPerformer(Volumetric):
    """Moves one person.

    Args:
        network: ready for use.
        subject: with the views that are used; the first is the canonical one (eq. 2).
        device: where the network is.
        is_half: the network computes in bf16.
    """

    def __init__(self, network: Bottleneck, subject: Subject, device: torch.device, is_half: bool = False) -> None:
        self._network, self._device, self._is_half = network, device, is_half
        self._size, self._side = subject.size, network.design.resolution
        self._poser = Poser(subject.body, subject.betas)
        self._theta = subject.primary.theta
        pictures = torch.stack([seen_person(view, self._side) for view in subject.views]).to(device)
        self._picture = pictures[:1]
        self._own = self._poser.posture(self._theta[None], device)
        views = [
            (picture[None], self._poser.posture(view.theta[None], device))
            for picture, view in zip(pictures, subject.views, strict=True)
        ]
        with torch.inference_mode(), self._precision():
            self._volumes = network.aggregated(views)
        self._ready = self._made_ready() if device.type == "cpu" else None

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`; every frame depends on its own motion alone."""
        for window in driving:
            theta, camera = window.motion.theta, window.motion.camera
            if theta is None or camera is None:
                raise ValueError("the bottleneck needs a fitted motion")
            yield self._rendered(theta, camera)

    @torch.inference_mode()
    def occupancy(self) -> Tensor:
        """See `Volumetric`."""
        with self._precision():
            return self._network.occupancy(self._volumes)[0, 0].float()

    def turntable(self, azimuth: Sequence[float]) -> Iterator[Tensor]:
        """See `Volumetric`."""
        turns = turn_about(np.asarray(azimuth, np.float32), np.zeros(len(azimuth), np.float32))
        for turn in turns:
            yield self._turned(turn[None])[0]

    @torch.inference_mode()
    def _rendered(self, theta: FloatArray, camera: FloatArray) -> Tensor:
        """(B, 4, H, W) of poses (B, 24, 3) and cameras (B, 3)."""
        frames = torch.empty(len(theta), 4, self._side, self._side, device=self._device)
        is_turned, turns = self._turns(theta)
        if is_turned.any():
            frames[is_turned] = self._turned(turns[is_turned])
        if not is_turned.all():
            frames[~is_turned] = self._moved(theta[(~is_turned).numpy()])
        return self._laid(frames, camera)

    def _turns(self, theta: FloatArray) -> tuple[Tensor, Tensor]:
        """Which frames (B) show the source's own pose turned, and by what rotation of the body (B, 3, 3).

        Volumes are turned for that (paper, 3.1): from maps the network could only guess. From bones it knows.
        """
        turns = axis_angle_to_matrix(torch.from_numpy(np.stack([self._theta, *theta])))
        apart = (turns[1:, 1:] - turns[:1, 1:]).abs().amax((1, 2, 3))
        return (apart < _SAME) & (self._network.design.driven_by == MAPS), turns[1:, 0] @ turns[0, 0].T

    @torch.inference_mode()
    def _turned(self, rotation: Tensor) -> Tensor:
        """(B, 4, S, S) of the source's own pose, turned by (B, 3, 3)."""
        if self._ready is not None:
            return _straight(self._ready.turned(rotation))
        with self._precision():
            rotated = self._network.rotated(self._volumes, rotation.to(self._device))
            return _straight(self._network.decode(rotated))

    def _moved(self, theta: FloatArray) -> Tensor:
        """(B, 4, S, S) of poses (B, 24, 3)."""
        target, count = self._poser.posture(theta, self._device), len(theta)
        if self._ready is not None:
            return _straight(self._ready.posed(target))
        with self._precision():
            places = self._network.places(self._picture.expand(count, -1, -1, -1), self._own.expand(count), target)
            return _straight(self._network.decode(self._network.moved(self._volumes, places, target)))

    def _made_ready(self) -> FastBottleneck:
        dtype = torch.bfloat16 if self._is_half else torch.float32
        return FastBottleneck(self._network, self._picture, self._own, self._volumes, dtype)

    def _laid(self, frames: Tensor, camera: FloatArray) -> Tensor:
        """(B, 4, H, W) on the canvas, straight alpha; colours count by how much they are seen."""
        weighted = torch.cat([frames[:, :3] * frames[:, 3:], frames[:, 3:]], 1)
        laid = torch.stack(
            [square(at, self._side).laid(frame, self._size) for frame, at in zip(weighted, camera, strict=True)]
        )
        laid[:, :3] /= laid[:, 3:].clamp_min(1e-6)
        return laid.clamp_(0, 1)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_half)


def _straight(made: Made) -> Tensor:
    """(B, 4, S, S): colours in [0, 1], and how much is the person."""
    person = ((made.confidence.float() - UNSURE) / (1 - 2 * UNSURE)).clamp(0, 1)
    return torch.cat([(made.colour.float() / 2 + 0.5).clamp(0, 1), person], 1)
