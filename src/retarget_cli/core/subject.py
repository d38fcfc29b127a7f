"""All that is known of the source person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import JOINTS, LANDMARKS, FloatArray
from retarget_cli.core.parts import Parts

Image = NDArray[np.uint8]
# The body model's name of a subject in which nobody was looked for.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class View:
    """One picture of the source person, with everything perceived in it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) float32 in [0, 1]; 1 = the person. None where no backend asked for it.
        pose: (33, 3) image landmarks: x, y in pixels, confidence.
        world: (33, 3) metric landmarks, hip-centred: x right, y down, z away.
        theta: (24, 3) joint rotations, axis-angle, radians.
        camera: (3,) weak perspective: scale (pixels a metre), tx, ty.
    """

    image: Image
    mask: FloatArray
    pose: FloatArray
    world: FloatArray
    theta: FloatArray
    camera: FloatArray


@dataclass(frozen=True, slots=True)
class Worn:
    """Somebody else's clothes.

    Attributes:
        wearer: who is seen in them, on the same canvas and of the same body model.
        parts: which of them.
    """

    wearer: Subject
    parts: Parts


@dataclass(frozen=True, slots=True)
class Subject:
    """The source person.

    Attributes:
        views: best-facing view first; all at the size of the first.
        betas: (n,) shape, shared by all views.
        body: name of the body model of `betas` and the views' `theta`; `NOBODY` where nobody was looked for.
        plate: (H, W, 3) uint8 background without the person.
        name: for output templates.
        worn: clothes to be put on while the person is rendered; None: the views show the person's own, or have been
            changed already.
    """

    views: tuple[View, ...]
    betas: FloatArray
    body: str
    plate: Image
    name: str = field(default="source")
    worn: Worn | None = None

    @property
    def primary(self) -> View:
        return self.views[0]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the canvas."""
        height, width = self.primary.image.shape[:2]
        return height, width

    @property
    def is_unperceived(self) -> bool:
        """Whether nobody was looked for: the views are pictures of anything, and there is no body."""
        return self.body == NOBODY


def unperceived(image: Image) -> View:
    """A picture in which nobody was looked for; all of it counts."""
    height, width = image.shape[:2]
    nowhere = np.zeros((LANDMARKS, 3), np.float32)
    turns, camera = np.zeros((JOINTS, 3), np.float32), np.array([1, 0, 0], np.float32)
    return View(image, np.ones((height, width), np.float32), nowhere, nowhere, turns, camera)


def pictured_subject(images: Sequence[Image], name: str = "source") -> Subject:
    """Pictures of one thing, whatever it is, all of one size; the first is what is moved."""
    views = tuple(unperceived(image) for image in images)
    return Subject(views, np.zeros(0, np.float32), NOBODY, views[0].image, name)
