"""One subject, ready: frame after frame, each made with the two before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.backends.remot.inputs import Poser, layouts, seen_person
from retarget_cli.backends.remot.model import Remot
from retarget_cli.backends.remot.past import Past
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Subject
from retarget_cli.networks.composite_generator import EMPTY
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.perception.shots import is_cut

# A sigmoid never says quite nothing, nor all: what is so near counts as it, or the whole background would be tinted.
UNSURE = 0.02


class RemotPerformer(Performer):
    """Moves one person.

    Args:
        network: in evaluation mode.
        subject: whose first view is the source.
        device: where the network is.
        is_half: the network computes in bf16.
    """

    def __init__(self, network: Remot, subject: Subject, device: torch.device, is_half: bool = False) -> None:
        self._device, self._size = device, subject.size
        self._is_cast = is_half and device.type != "cpu"
        # Packed weights are the CPU's; elsewhere autocast is quicker than layers of another order.
        dtype = torch.bfloat16 if is_half and not self._is_cast else torch.float32
        self._network = made_ready(network, dtype) if device.type == "cpu" else network
        self._poser = Poser(subject.body, subject.betas, network.design.size)
        labels = layouts([subject.primary], subject.body, subject.betas)
        person, layout, _ = seen_person(subject.primary, labels[0], network.design.size)
        with torch.inference_mode(), self._precision():
            self._source = self._network.source(person[None].to(device), layout[None].to(device))

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`; what a frame owes to those before it lives here, and goes when the film is over."""
        past: Past | None = None
        last: tuple[FloatArray, FloatArray] | None = None
        for window in driving:
            theta, camera = window.motion.theta, window.motion.camera
            if theta is None or camera is None:
                raise ValueError("this method needs a fitted motion")
            poses, frames = self._poser.maps(theta), []
            for row, is_present in enumerate(window.motion.present.tolist()):
                now = theta[row], camera[row]
                if not is_present or last is None or is_cut(*map(np.stack, zip(last, now, strict=True))):
                    past = None
                frame, past = self._rendered(poses[row], camera[row], past)
                frames.append(frame)
                # Who was not seen is held still in the meantime; nothing of that goes on.
                last = now if is_present else None
            yield torch.stack(frames)

    @torch.inference_mode()
    def _rendered(self, pose: Tensor, camera: FloatArray, past: Past | None) -> tuple[Tensor, Past]:
        """(4, H', W') on the canvas, from a pose (3, H, W), and what the next frame is made with."""
        pose = pose[None].to(self._device)
        with self._precision():
            made, past = self._network.frame(self._source, pose, past or self._network.past(pose))
        light = (made.person[0].float() - EMPTY) / (1 - EMPTY)
        alpha = ((1 - made.outside[0].float() - UNSURE) / (1 - 2 * UNSURE)).clamp(0, 1)
        # Light where nobody is has nothing to lie on.
        laid = Frame.of(camera, self._poser.size).laid(torch.cat([light * (alpha > 0), alpha]), self._size)
        laid[:3] /= laid[3:].clamp_min(1e-6)
        return laid.clamp_(0, 1), past

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_cast)
