"""The interface that every method implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor

from retarget_cli.core.footage import Footage
from retarget_cli.core.motion import Motion
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject


class Signal(Enum):
    """What perception can estimate; a backend names what it needs and pays for nothing else."""

    POSE = "pose"
    MASK = "mask"
    PARSING = "parsing"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a backend is, readable without loading weights.

    Attributes:
        summary: one line.
        needs: signals that perception must estimate.
        window: driving frames handed over at a time.
        paints_background: whether the rendered alpha is 1 everywhere.
        weights: keys of the weights catalog; empty when nothing is to be downloaded.
        paper: title and year, or empty.
        license: of the method's code and weights.
        is_led_by_pixels: it looks at the driving frames themselves; nothing is perceived, neither in them nor in the
            source, which may be anything that moves.
        moves: False for a baseline that repeats its source.
        is_frame_by_frame: each frame comes from its own motion alone: a clip can be made in parts, in any order.
        is_volumetric: its performers are `Volumetric`.
        is_taught_by_film: it learns one person from frames that follow each other, of others the postures too, and
            shows nobody before.
    """

    summary: str
    needs: frozenset[Signal] = frozenset()
    window: int = 1
    paints_background: bool = False
    weights: tuple[str, ...] = ()
    paper: str = ""
    license: str = ""
    is_led_by_pixels: bool = False
    moves: bool = True
    is_frame_by_frame: bool = True
    is_volumetric: bool = False
    is_taught_by_film: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Some consecutive driving frames, as a performer sees them.

    Attributes:
        start: index of the first frame in the clip.
        motion: (T) already placed: `theta`, `camera` are the source person's, in the source's canvas; for a method that
            is led by pixels, in which nobody is present.
        footage: (T) the driving frames themselves, for a method that is led by pixels.
    """

    start: int
    motion: Motion
    footage: Footage | None = None

    def __len__(self) -> int:
        return len(self.motion)


class Performer(ABC):
    """One subject, ready to move."""

    @abstractmethod
    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """Yield (T, 4, H, W) RGBA, straight alpha, in [0, 1] at the subject's size.

        In the end every driving frame exactly once, in order. May read ahead a bounded number of windows.
        """


class Comparing(Performer):
    """A performer that can say how far driving frames are from the source."""

    @abstractmethod
    def apart(self, footage: Footage) -> list[float]:
        """Of each frame; the smallest is most alike."""


class Volumetric(Performer):
    """A performer that knows its subject as a volume, and can show what is in it."""

    @abstractmethod
    def occupancy(self) -> Tensor:
        """(D, H, W) in [0, 1]: how much of each cell the subject fills; z away from the viewer, y down, x right."""

    @abstractmethod
    def turntable(self, azimuth: Sequence[float]) -> Iterator[Tensor]:
        """The volume alone, turned: one (4, S, S) RGBA, straight alpha, in [0, 1], for each of the angles.

        Args:
            azimuth: degrees; where the camera stands, as in `body.viewpoint`.
        """


class Backend(ABC):
    """Owns networks and options, never the state of one run.

    Args:
        options: an instance of `type(self).options`.
        device: where tensors live.
    """

    spec: ClassVar[Spec]
    options: ClassVar[type]

    def __init__(self, options: object, device: torch.device) -> None:
        self.settings = options
        self.device = device

    @abstractmethod
    def prepare(self, subject: Subject) -> Performer:
        """Once a subject: encode, build, aggregate views."""

    def painted_behind(self, subject: Subject) -> Subject:
        """The subject with the plate that this method paints itself; most leave the one that was found."""
        return subject

    def dress(self, subject: Subject, garment: Subject, parts: Parts = Parts.ALL) -> Subject:
        """The subject in the clothes of another one, of the same canvas size, before either is prepared.

        This one suits every method: the subject's photos are given the other's clothes, altered to fit.
        """
        from retarget_cli.backends.dressing.exchange import dressed

        return dressed(subject, garment, parts)
