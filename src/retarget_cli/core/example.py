"""What one step of training learns from."""

from __future__ import annotations

from dataclasses import dataclass

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, Subject, View


@dataclass(frozen=True, slots=True)
class Span:
    """How much of a clip a method wants to know about a target.

    Attributes:
        before, after: frames on either side of the target whose postures are told.
        shown: frames from the target on whose pictures are given, the target's among them; at most 1 + `after`.
        fineness: pixels a metre that pictures of the person are looked at with.
    """

    before: int = 0
    after: int = 0
    shown: int = 1
    fineness: float = 100.0


@dataclass(frozen=True, slots=True)
class Course:
    """What goes on about a target, frame after frame of its clip; beyond the clip's ends its last frames are repeated.

    Attributes:
        theta: (N, 24, 3) joint rotations; N = before + 1 + after.
        camera: (N, 3), as `View.camera`.
        following: the frames right behind the target, as many as are shown besides.
        others: (N, 24, 3) of somebody else, in another clip; None where nobody else is known.
    """

    theta: FloatArray
    camera: FloatArray
    following: tuple[View, ...] = ()
    others: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A person seen in some pictures, and once more.

    Attributes:
        subject: the person in the source views; `plate` is behind the first of them.
        target: the same person in another picture of the same canvas size: what is to be made.
        plate: (H, W, 3) uint8 behind the target's person; the subject's own where both were seen in one place.
        course: of the target's clip, for a method that asks for it; None where the target is a picture by itself.
    """

    subject: Subject
    target: View
    plate: Image
    course: Course | None = None
