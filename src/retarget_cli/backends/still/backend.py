"""The backend: the same picture for every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Backend, Performer, Spec, Window
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject


@dataclass(frozen=True, slots=True)
class StillOptions:
    """It has none."""


class Still(Backend):
    """Shows the best-facing source picture and moves nothing; scores are to be read against it."""

    spec: ClassVar[Spec] = Spec(
        summary="baseline: the source picture, unmoved",
        window=16,
        paints_background=True,
        license="Apache-2.0",
        moves=False,
    )
    options: ClassVar[type] = StillOptions

    def prepare(self, subject: Subject) -> Performer:
        """Nothing is prepared."""
        return StillPerformer(subject, self.device)

    def dress(self, subject: Subject, garment: Subject, parts: Parts = Parts.ALL) -> Subject:
        """The source as he is: a baseline changes no clothes either."""
        return subject


class StillPerformer(Performer):
    """Repeats the subject's primary view."""

    def __init__(self, subject: Subject, device: torch.device) -> None:
        opaque = np.dstack([subject.primary.image, np.full(subject.size, 255, np.uint8)])
        self._picture = torch.from_numpy(opaque).to(device).permute(2, 0, 1).float() / 255

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`."""
        for window in driving:
            yield self._picture.expand(len(window), *self._picture.shape)
