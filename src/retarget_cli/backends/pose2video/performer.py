"""One person at work: poses come in, frames go out a little later; each is made once by each stage.

Stage I sees K frames ahead and stage II K of its frames, so that a frame comes 2K after its pose. In between lie only
the neighbours that are still wanted (`film`, `stream`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.backends.pose2video.design import ASIDE
from retarget_cli.backends.pose2video.film import Poses, film
from retarget_cli.backends.pose2video.model import Made, Pose2Video
from retarget_cli.backends.pose2video.screen import own_green, taken_away
from retarget_cli.backends.pose2video.skeleton import points
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Subject
from retarget_cli.networks.fast_residual import made_ready

# What is so near to nothing, or all, counts as it: the networks never say quite either.
UNSURE = 0.03


class Pose2VideoPerformer(Performer):
    """A person that the networks were tuned to.

    Args:
        network: whose weights are read here, and not again.
        subject: whose proportions count, whose canvas, and how green he is; how he looks, the weights know.
        device: of the network.
        is_half: compute in bf16.
    """

    def __init__(self, network: Pose2Video, subject: Subject, device: torch.device, is_half: bool = False) -> None:
        self._design, self._device, self._size = network.design, device, subject.size
        self._poser = Poser(subject.body, subject.betas)
        self._own_green = own_green(subject.views)
        self._network = made_ready(network, torch.bfloat16 if is_half else torch.float32)

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`; reads ahead as far as both stages look."""
        cameras: deque[FloatArray] = deque()
        for made in film(self._network, self._poses(driving, cameras)):
            yield self._laid(made, [cameras.popleft() for _ in range(len(made.mask))])

    def _poses(self, driving: Iterator[Window], cameras: deque[FloatArray]) -> Iterator[Poses]:
        """Of each window; where its frames are laid is remembered."""
        for window in driving:
            theta, camera = window.motion.theta, window.motion.camera
            if theta is None or camera is None:
                raise ValueError("pose2video needs a fitted motion")
            cameras.extend(camera)
            posture = self._poser.posture(np.ascontiguousarray(theta), self._device)
            with torch.inference_mode():
                poses = Poses.of(points(posture), self._design)
            yield poses

    @torch.inference_mode()
    def _laid(self, made: Made, cameras: list[FloatArray]) -> Tensor:
        """(B, 4, H, W) on the canvas, straight alpha; colours count by how much they are seen."""
        people = shown(made, self._own_green)
        size = self._design.size
        laid = torch.stack(
            [Frame.of(at, size, ASIDE).laid(person, self._size) for person, at in zip(people, cameras, strict=True)]
        )
        laid[:, :3] /= laid[:, 3:].clamp_min(1e-6)
        return laid.clamp_(0, 1)


def shown(made: Made, own: float = 1.0) -> Tensor:
    """(B, 4, h, w) in [0, 1]: the person without the green, colours times mask, and the mask.

    Args:
        made: by the networks.
        own: how green the person is, see `taken_away`.
    """
    mask = ((made.mask.float() - UNSURE) / (1 - 2 * UNSURE)).clamp(0, 1)
    return taken_away(made.colours.float(), mask, own)
